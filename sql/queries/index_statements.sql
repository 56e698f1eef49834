-- Statements that give a leaf every key and index of its parent, so that attaching it builds none.
select format('alter table %s add %s', $2::text, pg_get_constraintdef(c.oid))
from pg_constraint as c
where c.conrelid = $1::text::regclass and c.contype in ('p', 'u')
union all
select format(
    'create %s index on %s %s',
    case when i.indisunique then 'unique' end, $2::text, substring(pg_get_indexdef(i.indexrelid) from 'USING .*$')
)
from pg_index as i
where
    i.indrelid = $1::text::regclass
    and not exists (select from pg_constraint as c where c.conindid = i.indexrelid and c.contype in ('p', 'u'))
