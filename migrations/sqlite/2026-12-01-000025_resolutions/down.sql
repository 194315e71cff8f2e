DROP TABLE market_debts;
DROP INDEX settlements_being_undone;
ALTER TABLE settlements DROP COLUMN undo_covered_minor;
ALTER TABLE settlements DROP COLUMN undo_cursor;
DROP TABLE market_disputes;
DROP TABLE market_resolutions;
DELETE FROM api_keys WHERE scopes LIKE '%resolve';
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''cover'', ''burn'')', '''cover'')') WHERE type = 'table' AND name = 'transfers';
UPDATE sqlite_schema SET sql = replace(sql,
    '''read trade manage'', ''resolve'', ''read resolve'', ''trade resolve'', ''manage resolve'', ''read trade resolve'', ''read manage resolve'', ''trade manage resolve'', ''read trade manage resolve''',
    '''read trade manage''')
    WHERE type = 'table' AND name = 'api_keys';
PRAGMA writable_schema = RESET;
