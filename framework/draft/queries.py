"""What a draft asks PostgreSQL's catalog: each question once, whatever the number of tables.

Names are texts, and the tables that are meant (``%s``) are an array of their numbers (``oid``).
"""

DATABASE = """
SELECT current_database(), current_setting('server_version'),
       (SELECT shobj_description(d.oid, 'pg_database') FROM pg_database d WHERE d.datname = current_database())
"""

# Everything that rows can be read from. What extensions brought is theirs, temporary tables are a session's, and
# tables that begin with _vitrina_ are Vitrina's. A role without USAGE on a schema cannot read what is in it.
RELATIONS = """
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relispartition,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       c.relrowsecurity AND row_security_active(c.oid),
       EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid) AND c.relkind <> 'p',
       ARRAY(SELECT p.relname::text FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
             WHERE i.inhrelid = c.oid ORDER BY i.inhseqno),
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, c.relispopulated,
       obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND c.relname NOT LIKE '\\_vitrina\\_%'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

COLUMNS = """
SELECT a.attrelid, a.attname::text, a.atttypid, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       col_description(a.attrelid, a.attnum)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

# The types of those columns, and what they are made of: domains of their base, arrays of their elements.
TYPES = """
WITH RECURSIVE used(oid) AS (
  SELECT DISTINCT a.atttypid FROM pg_attribute a
  WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT part.oid FROM used JOIN pg_type t ON t.oid = used.oid
  CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS part(oid)
  WHERE part.oid <> 0
)
SELECT t.oid, format_type(t.oid, NULL), t.typname::text, t.typtype::text, t.typnotnull,
       t.typbasetype, CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
       CASE WHEN t.typcategory = 'A' AND t.typlen = -1 AND t.typname NOT IN ('int2vector', 'oidvector')
            THEN t.typelem ELSE 0 END,
       (SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e' LIMIT 1),
       ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder)
FROM used JOIN pg_type t ON t.oid = used.oid
"""

# A column that is an expression has no name. Columns behind INCLUDE are no part of the key.
INDEXES = """
SELECT i.indrelid, c.relname::text, i.indisprimary, i.indisunique, m.amname::text,
       i.indpred IS NOT NULL, i.indisexclusion,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
             LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
             WHERE k.place <= i.indnkeyatts ORDER BY k.place),
       pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = ANY(%s) AND i.indisvalid
ORDER BY i.indrelid, i.indisprimary DESC, c.relname COLLATE "C"
"""

CONSTRAINTS = """
SELECT c.conrelid, c.conname::text, c.contype::text, pg_get_constraintdef(c.oid), c.confdeltype::text,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.place),
       rn.nspname::text, r.relname::text,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum ORDER BY k.place)
FROM pg_constraint c
LEFT JOIN pg_class r ON r.oid = c.confrelid LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.conrelid = ANY(%s) AND c.contype IN ('f', 'c', 'x')
ORDER BY c.conrelid, c.contype, c.conname COLLATE "C"
"""

# Row triggers that fire before an update (tgtype: 1 row, 2 before, 16 update) may set a column; what they say of it
# stands in their function or in their arguments.
TRIGGERS = """
SELECT t.tgrelid, t.tgname::text, pg_get_triggerdef(t.oid),
       t.tgtype & 19 = 19 AND t.tgenabled <> 'D',
       coalesce(p.prosrc, '') || ' ' || encode(t.tgargs, 'escape')
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = ANY(%s) AND NOT t.tgisinternal
ORDER BY t.tgrelid, t.tgname COLLATE "C"
"""
