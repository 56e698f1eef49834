-- What differs between the places that are there and those of the snapshot.
insert into pg_temp.delta (class, cause, changed_fields, moved_m, old_values, {columns})
select
    case
        when o.id is null then 'added'
        when n.id is null then 'removed'
        when n.content_hash = o.content_hash then 'touched'
        else 'modified'
    end,
    case when r.place_id is null then 'conflation' else 'source' end,
    coalesce(difference.fields, '{}'),
    case when n.id = o.id and n.geometry is distinct from o.geometry then st_distancesphere(n.geometry, o.geometry) end,
    case when n.id is null then gone.old_values else difference.old_values end,
    coalesce(n.id, o.id),
    {new_columns_but_id}
from {new} as n
full join (select * from {old} where pipeline = $1) as o on n.id = o.id
left join pg_temp.changed_record as r on r.place_id = coalesce(n.id, o.id)
cross join lateral (
    select
        array_agg(c.field order by c.at) as fields,
        jsonb_object_agg(c.field, c.old_value) as old_values
    from (values {differences}) as c (at, field, differs, old_value)
    where c.differs and n.id is not null and o.id is not null
) as difference
cross join lateral (
    select jsonb_object_agg(c.field, c.old_value) as old_values
    from (values {old_values}) as c (field, old_value)
) as gone
where n.row_hash is distinct from o.row_hash
order by coalesce(n.id, o.id)
