-- Only under the lock of the feed, so that numbers grow in the order of commits.
insert into poimill.change (seq, pipeline, snapshot, class)
values (nextval('poimill.change_seq'), $1, $2, 'loaded')
