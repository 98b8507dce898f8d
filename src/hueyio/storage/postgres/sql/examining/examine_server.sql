-- What may hold rows back that nobody needs any more, lose tasks, or fill the disk. A row for each: its kind, what, and
-- how much. transaction: who has it open, seconds; prepared: its name, seconds; slot: its name, bytes of the log that are
-- kept for it; old rows: the slot that needs them, 0; setting: one that is off, 0.
-- Only what holds back rows of this database. Whether others' transactions are seen depends on who owns this function.
CREATE OR REPLACE FUNCTION {schema}.examine_server_1() RETURNS TABLE(kind text, what text, amount float8) {reader} AS $$
BEGIN
    RETURN QUERY
    (SELECT
        'transaction',
        format('%s (process %s, user %s)', coalesce(nullif(a.application_name, ''), 'no name'), a.pid, a.usename),
        extract(epoch FROM clock_timestamp() - a.xact_start)::float8
    FROM pg_stat_activity AS a
    WHERE a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL AND a.backend_type = 'client backend'
        AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
        AND a.datid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    ORDER BY a.xact_start LIMIT 1)
    UNION ALL
    (SELECT 'prepared', p.gid, extract(epoch FROM clock_timestamp() - p.prepared)::float8
    FROM pg_prepared_xacts AS p WHERE p.database = current_database() ORDER BY p.prepared LIMIT 1)
    UNION ALL
    (SELECT 'slot', s.slot_name::text, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::float8
    FROM pg_replication_slots AS s
    WHERE NOT s.active AND s.restart_lsn IS NOT NULL AND NOT pg_is_in_recovery() ORDER BY s.restart_lsn LIMIT 1)
    UNION ALL
    (SELECT 'old rows', s.slot_name::text, 0::float8
    FROM pg_replication_slots AS s WHERE NOT s.active AND s.xmin IS NOT NULL ORDER BY age(s.xmin) DESC LIMIT 1)
    UNION ALL
    SELECT 'setting', g.name, 0::float8
    FROM pg_settings AS g
    WHERE g.name IN ('autovacuum', 'fsync', 'full_page_writes', 'synchronous_commit') AND g.setting = 'off';
END
$$;
