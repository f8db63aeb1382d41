-- A database as nobody would make it, and as many are: names, types, shapes and keys with traps.
COMMENT ON SCHEMA public IS 'everything';
CREATE SCHEMA sales;
CREATE SCHEMA "Odd Schema";
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s, fine', 'yes', '42');
CREATE TYPE sales."Place" AS (street text, "no" int);
CREATE TYPE price_range AS RANGE (subtype = numeric);
CREATE DOMAIN amount AS numeric(12,2) CHECK (VALUE >= 0);
CREATE DOMAIN sales.net AS amount NOT NULL;
CREATE DOMAIN short AS varchar(10);

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(120) NOT NULL UNIQUE,
    first_name text,
    country char(2) NOT NULL CHECK (country IN ('RU', 'KZ', 'NO')),
    birth_date date,
    feeling mood,
    vip boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE customers IS E'People who buy: "all" of them\n# really, ${HOME} too';
COMMENT ON COLUMN customers.email IS 'yes';
CREATE INDEX ON customers (updated_at);
CREATE INDEX ON customers USING gin (to_tsvector('simple', first_name));
CREATE INDEX ON customers (lower(email));
CREATE INDEX ON customers (country) WHERE vip;
CREATE INDEX customers_name_country ON customers (first_name, country);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER customers_touch BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers ON DELETE RESTRICT,
    again_id int REFERENCES orders ON DELETE SET NULL,
    status varchar(16) NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid')),
    total amount NOT NULL,
    twice numeric GENERATED ALWAYS AS (total * 2) STORED,
    tags text[] NOT NULL DEFAULT '{}',
    moods mood[],
    attributes jsonb,
    modified timestamp NOT NULL DEFAULT now(),
    EXCLUDE USING btree (id WITH =)
);
CREATE TABLE order_items (
    order_id bigint REFERENCES orders ON DELETE CASCADE,
    line_no smallint,
    quantity int NOT NULL CHECK (quantity BETWEEN 1 AND 9),
    price sales.net,
    PRIMARY KEY (order_id, line_no)
);
CREATE TABLE links (a bigint REFERENCES customers, b bigint REFERENCES customers, PRIMARY KEY (a, b));

-- The same names elsewhere, and names that differ in their case.
CREATE TABLE sales.orders (id int PRIMARY KEY, place sales."Place", span price_range, prices price_range[]);
CREATE TABLE sales."Customers" (id int PRIMARY KEY, ref int REFERENCES sales.orders);
CREATE TABLE "Odd Schema"."a.b" (id int PRIMARY KEY);
CREATE TABLE "null" ("yes" int PRIMARY KEY, "null" text, "1" text, "a: b" text, "#x" text, "''""" text, "<<" text,
    "new
line" text, "имя" text, "😀" text, "back`tick" text, " lead" text, "trail " text, "x-y" text, "${HOME}" text, "%s" text,
    "Name" text, "name" text, "{a}" text, "- b" text, "select" text);
CREATE TABLE "emoji 😀" (id int PRIMARY KEY, t text);
CREATE TABLE "ends in a space " (id int PRIMARY KEY);
CREATE TABLE "yes" (id int PRIMARY KEY);
COMMENT ON COLUMN "yes".id IS 'postgres://someone:hunter22@db.example/x';

-- Shapes.
CREATE TABLE events (id bigint, day date NOT NULL, what text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (day);
CREATE TABLE events_2024_rest PARTITION OF events_2024 DEFAULT;
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE animals (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE dogs (barks boolean, PRIMARY KEY (id)) INHERITS (animals);
CREATE TABLE nothing ();
CREATE TABLE secret (id int PRIMARY KEY);
CREATE VIEW paying AS SELECT id, email FROM customers WHERE vip;
CREATE MATERIALIZED VIEW moods AS SELECT feeling, count(*) AS n FROM customers GROUP BY feeling;
CREATE TABLE guarded (id int PRIMARY KEY, owner text NOT NULL);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (id < 3);
CREATE UNLOGGED TABLE quick (id int PRIMARY KEY, url text DEFAULT 'ftp://someone:hunter22@example.com/x');

-- Keys.
CREATE TABLE no_key (a int, b text, c date NOT NULL);
CREATE TABLE other_key (t text NOT NULL UNIQUE, n int NOT NULL, m int UNIQUE, note text, UNIQUE (n));
CREATE TABLE text_key (code text PRIMARY KEY, v int);
CREATE TABLE long_key (code text PRIMARY KEY, v int NOT NULL UNIQUE);
CREATE TABLE long_unique (id int PRIMARY KEY, slug text UNIQUE, body text, raw bytea);
CREATE INDEX ON long_unique (body);
CREATE INDEX ON long_unique (raw, body);
CREATE TABLE odd_keys (n numeric PRIMARY KEY, f float8 NOT NULL UNIQUE, d date NOT NULL UNIQUE, j jsonb UNIQUE, a int[] UNIQUE);

-- What MySQL has no place for.
CREATE TABLE edges (
    id int PRIMARY KEY, d date, ts timestamp, tz timestamptz NOT NULL, f float8, r real, n numeric, n1 numeric(10,2),
    n2 numeric(70,40), n3 numeric(3,5), n4 numeric(4,-2), born date);
CREATE TABLE every_type (
    id smallint PRIMARY KEY, a boolean, b bytea, c "char", d name, e xml, f json, g point, h inet, i cidr, j macaddr,
    k bit(3), l varbit, m money, n interval, o timetz, p time(3), q tsvector, r int4range, s datemultirange, t uuid,
    u char(5), v varchar, w bpchar, x oid, y regclass, z int2vector, aa text[][], ab short[], ac interval year to month,
    ad timestamp(3) with time zone, ae pg_lsn, af sales."Place"[], ag tstzrange[]);
CREATE TABLE wide (id int PRIMARY KEY);
-- A circle.
CREATE TABLE bosses (id int PRIMARY KEY, team_id int NOT NULL, self_id int NOT NULL REFERENCES bosses);
CREATE TABLE teams (id int PRIMARY KEY, boss_id int REFERENCES bosses);
ALTER TABLE bosses ADD FOREIGN KEY (team_id) REFERENCES teams;
CREATE TABLE narrow (id smallint PRIMARY KEY, order_id int REFERENCES orders, code varchar(3) REFERENCES text_key,
    n bigint UNIQUE REFERENCES customers);
CREATE TABLE composite (id int PRIMARY KEY, x bigint, y smallint, FOREIGN KEY (x, y) REFERENCES order_items);
