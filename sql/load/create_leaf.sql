-- A table that can become a partition without a scan: the check says what the partition's bound will.
create table {leaf} (
    like {parent} including defaults including constraints including storage including compression,
    constraint of_one_pipeline check (pipeline = {pipeline})
)
