alter table {parent} attach partition {leaf} for values in ({pipeline})
