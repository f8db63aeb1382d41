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
INSERT INTO "null" VALUES (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't');
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
CREATE UNLOGGED TABLE quick (id int PRIMARY KEY);

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

INSERT INTO customers (email, first_name, country, birth_date, feeling, vip)
SELECT 'p' || i || '@example.com', 'Имя 😀 ' || i, 'NO', date '1980-01-01' + i, 'it''s, fine', i % 2 = 0
FROM generate_series(1, 20) AS i;
INSERT INTO orders (customer_id, total, tags, moods, attributes)
SELECT i, i * 1.5, ARRAY['a', NULL, '"q"'], '{sad,NULL}', '{"a": 1.10, "b": [1, 2]}' FROM generate_series(1, 20) AS i;
INSERT INTO order_items SELECT i, 1, 2, 3.5 FROM generate_series(1, 20) AS i;
INSERT INTO links VALUES (1, 2), (2, 1);
INSERT INTO sales.orders VALUES (1, ROW('x "y"', 2), '[1,2.5)', '{"[1,2)"}');
INSERT INTO sales."Customers" VALUES (1, 1);
INSERT INTO "Odd Schema"."a.b" VALUES (1);
INSERT INTO "emoji 😀" VALUES (1, '😀');
INSERT INTO "yes" VALUES (1);
INSERT INTO events VALUES (1, '2024-05-05', 'x'), (2, '2026-01-01', 'y');
INSERT INTO animals VALUES (1, 'cat');
INSERT INTO dogs VALUES (2, 'rex', true);
INSERT INTO guarded VALUES (1, 'a');
INSERT INTO no_key VALUES (1, 'x', '2024-01-01'), (1, 'x', '2024-01-01');
INSERT INTO other_key VALUES ('a', 1, 1, 'x'), ('A', 2, NULL, NULL);
INSERT INTO text_key VALUES ('a', 1), ('A', 2), ('á', 3), ('a ', 4), ('', 5);
INSERT INTO long_key VALUES (repeat('ab', 500), 1), ('x', 2);
INSERT INTO long_unique VALUES (1, repeat('é', 900), repeat('z', 1000), '\x00ff'), (2, repeat('é', 899) || 'x', '', '');
INSERT INTO odd_keys VALUES ('NaN', 'Infinity', 'infinity', '{"a": 1}', '{1,2}'), (1.5, -0.5, '0044-03-15 BC', '[]', '{}');
INSERT INTO edges VALUES
    (1, 'infinity', '-infinity', '2020-01-01 12:00:00+03', 'NaN', 'Infinity', 1e40, 'NaN', 1e29, 0.00999, 123400, '1990-01-01'),
    (2, '0044-03-15 BC', '12345-01-01', '294000-01-01', 1.5, 2.5, 0.1, 1, 1e-40, -0.00001, -100, NULL);
INSERT INTO every_type VALUES
    (1, true, '\x00', 'q', 'nm', '<a/>', '{"a": 1.10}', '(1,2)', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '101',
     '1', '12.34', '1 year 2 days', '24:00:00+02', '24:00:00', 'a:1 b', '[1,5)', '{[2024-01-01,2024-02-01)}',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ab', 'v ', 'w', 7, 'pg_class', '1 2', '{{a,b},{c,NULL}}', '{x,y}',
     '3 years', '2020-01-01 00:00:00.5+00', '16/B374D848', ARRAY[ROW('s', 1)::sales."Place"], '{"[2020-01-01,2021-01-01)"}'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO teams VALUES (1, NULL);
INSERT INTO bosses VALUES (1, 1, 1);
INSERT INTO narrow VALUES (1, 1, 'a', 1);
INSERT INTO composite VALUES (1, 1, 1);
