-- A company whose tables carry every name and shape that MySQL finds hard.
CREATE SCHEMA "Human Resources";
CREATE SCHEMA sales;
CREATE SCHEMA "select";

CREATE TYPE "Human Resources"."Status" AS ENUM ('active', 'Active', 'áctive', 'active ', 'on leave, "paid"');
CREATE DOMAIN "Human Resources"."E-mail" AS varchar(254) CHECK (value LIKE '%@%');

-- Names: mixed case, a dot, quotes, a backtick, a leading digit, reserved words, not Latin, 63 bytes, emoji.
CREATE TABLE "Human Resources"."Employee" (
    "ID" serial PRIMARY KEY,
    "First Name" text,
    "Last.Name" text,
    "E-Mail" "Human Resources"."E-mail" UNIQUE,
    "Status" "Human Resources"."Status" DEFAULT 'active',
    "said ""hello""" text,
    "back`tick" int,
    "semi;colon -- /*" int,
    "100%" numeric(5, 2),
    "1st" date,
    "имя" text,
    "名前" text,
    "select" boolean,
    "Manager ID" int REFERENCES "Human Resources"."Employee",
    "Department ID" int,
    modified timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN "Human Resources"."Employee"."E-Mail" IS 'it''s "theirs", \ and `ours` 100% 😀';
INSERT INTO "Human Resources"."Employee"
SELECT i, 'First ' || i, 'O''Last ' || i, 'e' || i || '@example.com',
       (enum_range(NULL::"Human Resources"."Status"))[1 + i % 5], 'hello "' || i || '"', i, -i, i * 1.01, date '2024-01-01' + i,
       'имя ' || i, '名前' || i, (ARRAY[true, false, NULL])[1 + i % 3], CASE WHEN i > 1 THEN i / 2 END, 1 + i % 7,
       timestamptz '2024-01-01' + i * interval '1 hour'
FROM generate_series(1, 90) AS i;
SELECT setval('"Human Resources"."Employee_ID_seq"', 90);

CREATE TABLE "Human Resources"."Department" (
    "ID" int PRIMARY KEY, "Name" text NOT NULL UNIQUE, "Head" int NOT NULL REFERENCES "Human Resources"."Employee"
);
INSERT INTO "Human Resources"."Department" SELECT i, chr(96 + i) || ' dept', i FROM generate_series(1, 7) AS i;
-- Departments have heads, heads have departments.
ALTER TABLE "Human Resources"."Employee" ADD FOREIGN KEY ("Department ID") REFERENCES "Human Resources"."Department";

CREATE TABLE "select"."from" ("where" int PRIMARY KEY, "group" text, "order" int, "key" int, "rows" int, "rank" int, "system" int);
INSERT INTO "select"."from" SELECT i, 'group ' || i, -i, i, i, i, i FROM generate_series(1, 10) AS i;

CREATE TABLE "a table, that's; `full` of ""signs"" \ / . % ? # and 63 bytes!!!!" (id int PRIMARY KEY, v text);
INSERT INTO "a table, that's; `full` of ""signs"" \ / . % ? # and 63 bytes!!!!" VALUES (1, 'one'), (2, NULL);
CREATE TABLE "очень длинное имя таблицы из 63 бай." (id int PRIMARY KEY, "столбец с именем тоже из 63 байтов!!!" text);
INSERT INTO "очень длинное имя таблицы из 63 бай." VALUES (1, 'да');
CREATE TABLE "123" ("456" int PRIMARY KEY, "1e5" text);
INSERT INTO "123" VALUES (1, 'digits');
CREATE TABLE "emoji 😀" (id int PRIMARY KEY, "😀" text, "😁" text, "trailing " text, "trailing" text);
INSERT INTO "emoji 😀" VALUES (1, 'grin', 'beam', 'space', 'none'), (2, NULL, '😁', '', ' ');

-- Equal to MySQL, which compares names of columns by letters, and of tables as the file system does.
CREATE TABLE "Clients" (id int PRIMARY KEY, "Name" text, name text, "NAME" text, "náme" text);
CREATE TABLE clients (id int PRIMARY KEY, name text);
CREATE TABLE "CLIENTS" (id int PRIMARY KEY, name text);
INSERT INTO "Clients" SELECT i, 'Name ' || i, 'name ' || i, 'NAME ' || i, 'náme ' || i FROM generate_series(1, 5) AS i;
INSERT INTO clients SELECT i, 'lower ' || i FROM generate_series(1, 6) AS i;
INSERT INTO "CLIENTS" SELECT i, 'upper ' || i FROM generate_series(1, 7) AS i;

-- One name in several schemas.
CREATE TABLE orders (id int PRIMARY KEY, note text);
INSERT INTO orders VALUES (1, 'public');
CREATE TABLE sales.orders (
    client_id int,
    number int,
    placed timestamptz NOT NULL,
    total numeric(20, 4) NOT NULL DEFAULT 0 CHECK (total > -1),
    doubled numeric GENERATED ALWAYS AS (total * 2) STORED,
    lines jsonb,
    UNIQUE (client_id, placed),
    PRIMARY KEY (client_id, number)
);
INSERT INTO sales.orders (client_id, number, placed, total, lines)
SELECT i % 6, i, timestamptz '2024-10-27 00:00:00 Europe/Berlin' + i * interval '20 minutes', i * 0.0001, jsonb_build_array(i, i::text)
FROM generate_series(1, 200) AS i;
CREATE TABLE sales.lines (
    client_id int, order_number int, line smallint, sku varchar(40), quantity int, price numeric(20, 4),
    PRIMARY KEY (client_id, order_number, line),
    FOREIGN KEY (client_id, order_number) REFERENCES sales.orders ON DELETE CASCADE
);
INSERT INTO sales.lines SELECT client_id, number, l, 'sku-' || l, l, total FROM sales.orders, generate_series(1, 3) AS l;

-- Shapes: 300 columns, rows longer than MySQL's 65,535 bytes, no key, no rows, no columns.
DO $$ BEGIN EXECUTE (
    SELECT 'CREATE TABLE wide (id int PRIMARY KEY, ' || string_agg(format('c%s %s', i, (ARRAY['int', 'varchar(50)', 'numeric', 'text',
           'timestamp', 'boolean'])[1 + i % 6]), ', ') || ')' FROM generate_series(1, 300) AS i); END $$;
INSERT INTO wide (id, c1, c2, c3, c4, c5, c6, c295, c300) SELECT i, 'v' || i, i * 1.1, 't' || i, '2024-01-01', true, i, 'last ' || i, i
FROM generate_series(1, 5) AS i;
CREATE TABLE long_rows (
    id int PRIMARY KEY, a varchar(8000), b varchar(8000) NOT NULL DEFAULT 'b', c varchar(500) UNIQUE, d char(255), e varchar(16000)
);
INSERT INTO long_rows SELECT i, repeat('😀', 8000), repeat('é', 8000), 'c' || i, 'd' || i, repeat('x', 16000) FROM generate_series(1, 3) AS i;
CREATE TABLE many_texts AS SELECT i AS n, 'plain' AS a, NULL::text AS b FROM generate_series(1, 30) AS i;
INSERT INTO many_texts SELECT * FROM many_texts WHERE n <= 3;
CREATE TABLE nothing_yet (id bigint PRIMARY KEY, v text, at timestamptz);
CREATE TABLE only_numbers (n int);
INSERT INTO only_numbers SELECT nullif(i % 4, 0) FROM generate_series(1, 20) AS i;
CREATE TABLE left_over (id int PRIMARY KEY, gone text, stays text, gone_too int);
INSERT INTO left_over SELECT i, 'gone', 'stays ' || i, i FROM generate_series(1, 4) AS i;
ALTER TABLE left_over DROP COLUMN gone, DROP COLUMN gone_too, ADD COLUMN new_one int NOT NULL DEFAULT 7;
CREATE TABLE text_keys (a text, b varchar(300), c bytea, n int, PRIMARY KEY (a, b, c));
INSERT INTO text_keys VALUES ('a', 'a', '\x61', 1), ('A', 'a', '\x61', 2), ('á', 'a', '\x61', 3), ('a ', 'a', '\x61', 4),
    ('a', 'A', '\x61', 5), ('a', 'a ', '\x61', 6), ('a', 'a', '\x41', 7), ('', '', '\x', 8), ('a', 'a', '\x6120', 9);
CREATE TABLE _deleted_at (id int PRIMARY KEY, _deleted_at text, updated_at text);
INSERT INTO _deleted_at VALUES (1, 'a text', 'no moment');

CREATE TABLE measures (
    sensor int NOT NULL, at timestamptz NOT NULL, value double precision, PRIMARY KEY (sensor, at)
) PARTITION BY LIST (sensor);
CREATE TABLE "measures 1" PARTITION OF measures FOR VALUES IN (1, 2);
CREATE TABLE measures_other PARTITION OF measures DEFAULT;
INSERT INTO measures SELECT i % 4, timestamptz '2024-01-01' + i * interval '1 second', i / 3.0::float8 FROM generate_series(1, 100) AS i;

CREATE VIEW "Human Resources"."v Active" AS SELECT "ID", "First Name" FROM "Human Resources"."Employee" WHERE "select";
CREATE VIEW sales.totals AS SELECT client_id, sum(total) AS total, max(placed) AS last FROM sales.orders GROUP BY client_id;
