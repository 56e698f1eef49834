delete from poimill.place as o
using pg_temp.delta as d
where o.pipeline = $1 and o.id = d.id and d.geometry is null
