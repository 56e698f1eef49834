insert into poimill.place as o (pipeline, {columns})
select $1, {columns}
from pg_temp.delta
where geometry is not null
on conflict (pipeline, id) do update set ({columns}) = row({excluded_columns})
where o.row_hash is distinct from excluded.row_hash
