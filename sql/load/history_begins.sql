-- Begins the versions of this load. What is only touched goes on in its old version.
insert into poimill.place_history (pipeline, {columns}, valid_from, valid_to, snapshot)
select $1, {columns}, $2, 'infinity', $3
from pg_temp.delta
where class <> 'touched' and geometry is not null
