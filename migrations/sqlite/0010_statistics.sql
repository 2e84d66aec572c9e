-- What 0009 says of billing, of the other tables with many rows a site: without it SQLite reads all of a site where an
-- index leads to a few rows. A test looks at the plan of every statement.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('member', 'member', '1000000 100000 1'),
    ('member', 'member_email', '1000000 100000 1'),
    ('member', 'member_name', '1000000 100000 3 1'),
    ('member', 'member_status', '1000000 100000 30000 1'),
    ('member', 'member_lapse', '10000 1'),
    ('member', 'member_merge', '10 1 1'),
    ('member', 'member_twin', '10000 1000 2 1'),
    ('member', 'member_namesake', '300000 30000 2 1'),
    ('member_tag', 'member_tag', '2000000 200000 2 1'),
    ('member_tag', 'member_tag_tag', '2000000 200000 10000 1'),
    ('comment', 'comment', '1000000 100000 1'),
    ('comment', 'comment_video', '1000000 100000 100 1'),
    ('comment', 'comment_member', '1000000 100000 10 1'),
    ('watch', 'watch', '10000000 1000000 20 1'),
    ('group_place', 'group_place', '1000000 100000 1000 1'),
    ('group_place', 'group_place_member', '1000000 100000 2 1'),
    ('entitlement', 'entitlement', '1000000 100000 2 1'),
    ('entitlement', 'entitlement_id', '1000000 100000 1'),
    ('granted_order', 'granted_order', '1000000 100000 1'),
    ('granted_order', 'granted_order_member', '1000000 100000 2 1'),
    ('subscription', 'subscription_source', '1000000 100000 50000 1'),
    ('subscription', 'subscription_live', '500000 50000 1'),
    ('subscription', 'subscription_over', '500000 50000 1'),
    ('subscription', 'subscription_reference', '100000 10000 5000 1'),
    ('subscription', 'subscription_elsewhere', '10000 1');
ANALYZE sqlite_schema;
