alter table {parent} detach partition {leaf};
drop table {leaf};
