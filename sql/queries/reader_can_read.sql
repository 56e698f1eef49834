-- Whether the reader role exists and may read every table that is meant for it.
select coalesce(
    bool_and(has_table_privilege(r.oid, t.name, 'select')) and bool_and(has_schema_privilege(r.oid, 'poimill', 'usage')),
    false
)
from pg_roles as r
cross join unnest(array[
    'poimill.place', 'poimill.place_source', 'poimill.place_history', 'poimill.change', 'poimill.run'
]) as t (name)
where r.rolname = 'poimill_reader'
