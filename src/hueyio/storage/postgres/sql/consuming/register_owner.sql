-- Begin a lease, or replace its info.
CREATE OR REPLACE FUNCTION {schema}.register_owner_1(q int, who text, what bytea) RETURNS void {entry} AS $$
DECLARE
    at float8 := {schema}.now_1();
BEGIN
    INSERT INTO {schema}.owners (queue, owner, info) VALUES (q, who, what)
    ON CONFLICT (queue, owner) DO UPDATE SET info = excluded.info;
    INSERT INTO {schema}.beats (queue, owner, seen) VALUES (q, who, at)
    ON CONFLICT (queue, owner) DO UPDATE SET seen = excluded.seen;
    INSERT INTO {schema}.holdings (queue, owner) VALUES (q, who) ON CONFLICT DO NOTHING;
END $$;
