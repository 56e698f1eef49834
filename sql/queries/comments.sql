-- What the tables and columns are said to mean; a missing column name is the table itself.
select a.attname::text, coalesce(col_description(a.attrelid, a.attnum), '')
from pg_attribute as a
where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
union all
select null, coalesce(obj_description($1::text::regclass, 'pg_class'), '')
