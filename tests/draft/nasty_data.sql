-- A few rows for nasty.sql, those that types and names make hard among them.
INSERT INTO "null" VALUES (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't');
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
