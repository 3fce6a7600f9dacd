SELECT * FROM requests
SELECT count() FROM requests
SELECT DISTINCT model, route, provider, error_code FROM requests
SELECT * FROM attempts
SELECT * FROM spend_daily
SELECT * FROM latency_hourly
SELECT * FROM completeness
SELECT 1 FROM requests WHERE if(cost_usd > 100, toUInt8(model), 1) = 1
SELECT 1 FROM requests WHERE if(cost_usd > 0, toUInt8(model), 1) = 1
SELECT toUInt64(model) FROM requests WHERE cost_usd > 100
SELECT throwIf(model LIKE 'secret-1%', 'found it') FROM requests
SELECT throwIf(cost_usd > 100) FROM requests
SELECT 1 FROM requests WHERE throwIf(model = 'secret-2', model) = 0
SELECT 1 FROM requests WHERE intDiv(1, if(model = 'secret-1', 0, 1)) = 1
SELECT 1 FROM requests PREWHERE if(model = 'secret-3', toUInt8(route), 1) = 1
SELECT parseDateTimeBestEffort(model) FROM requests
SELECT CAST(model AS Enum8('a' = 1)) FROM requests
SELECT toDecimal32(model, 2) FROM attempts WHERE cost_usd > 100
SELECT JSONExtractString(model, 'x'), toUUID(route) FROM requests
SELECT arrayElement(['a'], toUInt8(model)) FROM attempts
SELECT max(toUInt8(model)) FROM spend_daily
SELECT model FROM usage_event
SELECT * FROM weir.usage_event
SELECT * FROM weir.usage_range
SELECT * FROM weir.agent_tail
SELECT * FROM weir.usage_correction
SELECT * FROM `weir`.`usage_event` AS r JOIN requests USING (request_id)
SELECT * FROM requests UNION ALL SELECT * FROM usage_event
SELECT model FROM requests UNION ALL SELECT model FROM weir.usage_event
SELECT * FROM requests WHERE request_id IN (SELECT request_id FROM usage_event)
SELECT * FROM requests WHERE exists(SELECT 1 FROM usage_event WHERE model = 'secret-1')
WITH x AS (SELECT * FROM usage_event) SELECT * FROM x
SELECT * FROM mergeTreeIndex('weir', 'usage_event')
SELECT * FROM mergeTreeIndex(currentDatabase(), 'usage_event', with_marks = true)
SELECT * FROM mergeTreeProjection('weir', 'usage_event', 'p')
SELECT * FROM mergeTreeParts('weir', 'usage_event')
SELECT * FROM merge('weir', '.*')
SELECT * FROM merge(REGEXP('.*'), 'usage_event')
SELECT * FROM viewIfPermitted(SELECT model FROM usage_event ELSE null('model String'))
SELECT * FROM view(SELECT model FROM usage_event)
SELECT * FROM loop('weir', 'usage_event')
SELECT * FROM remote('127.0.0.1', 'weir', 'usage_event')
SELECT * FROM remote('127.0.0.1', view(SELECT model FROM weir.usage_event))
SELECT * FROM remoteSecure('127.0.0.1', weir.usage_event, 'default', '')
SELECT * FROM cluster('default', weir.usage_event)
SELECT * FROM clusterAllReplicas('default', system.one)
SELECT * FROM url('http://127.0.0.1:8123/?query=SELECT+1', 'TSV', 'x String')
SELECT * FROM file('/etc/passwd', 'TSV', 'x String')
SELECT * FROM file('../data/metadata/weir.sql', 'RawBLOB')
SELECT * FROM s3('http://127.0.0.1/x', 'CSV', 'x String')
SELECT * FROM executable('id', 'TSV', 'x String')
SELECT * FROM mysql('127.0.0.1:3306', 'a', 'b', 'c', 'd')
SELECT * FROM postgresql('127.0.0.1:5432', 'a', 'b', 'c', 'd')
SELECT * FROM sqlite('/tmp/x.db', 't')
SELECT * FROM input('x String')
SELECT * FROM dictionary('weir.d')
SELECT dictGet('weir.d', 'x', 1)
SELECT joinGet('weir.usage_event', 'model', 1)
SELECT * FROM system.query_log
SELECT * FROM system.processes
SELECT * FROM system.parts
SELECT * FROM system.parts_columns
SELECT * FROM system.tables
SELECT * FROM system.columns
SELECT * FROM system.users
SELECT * FROM system.row_policies
SELECT * FROM system.grants
SELECT * FROM system.text_log
SELECT * FROM system.part_log
SELECT * FROM system.query_cache
SELECT * FROM system.query_condition_cache
SELECT * FROM system.asynchronous_inserts
SELECT * FROM system.errors
SELECT * FROM system.settings WHERE name = 'log_comment'
SELECT * FROM system.server_settings
SELECT * FROM system.macros
SELECT * FROM system.disks
SELECT * FROM system.detached_parts
SELECT * FROM system.data_skipping_indices
SELECT * FROM system.metrics
SELECT * FROM system.events
SELECT * FROM system.asynchronous_metrics
SELECT * FROM system.histogram_metrics
SELECT * FROM system.stack_trace
SELECT * FROM system.session_log
SELECT * FROM system.user_processes
SELECT * FROM system.dropped_tables
SELECT * FROM system.database_engines
SELECT create_table_query FROM system.tables
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT model FROM requests SETTINGS log_comment = '{foreign}'
SELECT model FROM requests SETTINGS readonly = 0
SELECT model FROM requests SETTINGS additional_table_filters = {'weir.requests': '1'}
SELECT model FROM (SELECT model FROM requests SETTINGS log_comment = '{foreign}')
SELECT model FROM requests /**/ SETTINGS/**/log_comment/**/='{foreign}'
SELECT model FROM requests SETTINGS `log_comment` = '{foreign}'
SELECT model FROM requests SETTINGS use_query_cache = 1, query_cache_share_between_users = 1
SELECT getSetting('log_comment'), currentUser(), initialUser(), currentDatabase() FROM requests LIMIT 1
SET log_comment = '{foreign}'
SELECT 1; SELECT * FROM requests
SELECT 1; SET log_comment = '{foreign}'
SELECT ';'; DROP TABLE usage_event
EXPLAIN ESTIMATE SELECT * FROM requests
SELECT * FROM (EXPLAIN ESTIMATE SELECT * FROM requests)
SELECT * FROM (EXPLAIN indexes = 1 SELECT * FROM requests WHERE model = 'x')
SELECT * FROM viewExplain('EXPLAIN ESTIMATE', '', (SELECT * FROM requests))
SELECT * FROM `viewExplain`('EXPLAIN PLAN', '', (SELECT * FROM requests))
SELECT * FROM requests INTO OUTFILE '/tmp/weir-out'
SELECT * FROM requests FORMAT Native
INSERT INTO requests SELECT * FROM requests
INSERT INTO FUNCTION file('x.csv') SELECT * FROM requests
CREATE TABLE x (a Int8) ENGINE = Memory
CREATE TEMPORARY TABLE x AS SELECT * FROM requests
CREATE FUNCTION f AS x -> x
CREATE VIEW leak AS SELECT * FROM usage_event
ALTER TABLE usage_event DELETE WHERE 1
DROP TABLE usage_event
TRUNCATE TABLE usage_event
SYSTEM FLUSH LOGS
SYSTEM DROP QUERY CACHE
GRANT SELECT ON weir.* TO report
SHOW TABLES
SHOW CREATE TABLE requests
DESCRIBE TABLE usage_event
KILL QUERY WHERE 1
EXISTS TABLE usage_event
CHECK TABLE usage_event
USE system
SELECT sleep(3)
SELECT sleepEachRow(3) FROM numbers(10)
SELECT count() FROM numbers(1000000000000)
SELECT groupArray(number) FROM numbers(1000000000)
SELECT repeat('x', 1000000) FROM numbers(10000)
SELECT * FROM numbers(100000000)
SELECT * FROM generateRandom('a String', 1, 1000000) LIMIT 100000
SELECT arrayJoin(range(1000000)), arrayJoin(range(1000000))
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT * FROM t
SELECT _part, _table, _partition_id, _part_offset FROM requests
SELECT * FROM requests FINAL
SELECT * FROM requests SAMPLE 0.1
SELECT hostName(), FQDN(), serverUUID(), version(), uptime(), tcpPort() FROM requests LIMIT 1
SELECT getMacro('shard'), getServerSetting('max_connections')
SELECT demangle('x'), addressToLine(1)
SELECT file('/etc/passwd')
SELECT catboostEvaluate('/tmp/m', 1)
SELECT * FROM fuzzQuery('SELECT 1')
SELECT * FROM timeSeriesData('weir', 'usage_event')
SELECT * FROM filesystem('/')
SELECT columns('secret') FROM requests
SELECT * FROM requests AS usage_event WHERE usage_event.organization_id = '{foreign}'
SELECT organization_id FROM requests
SELECT lagInFrame(model, 1) OVER (ORDER BY started_at) FROM requests
SELECT any(model) OVER () FROM requests ORDER BY ALL LIMIT 5
SELECT * FROM requests ORDER BY if(model = 'secret-1', throwIf(1, 'ordered by another'), 0)
SELECT count() FROM requests GROUP BY toUInt8(model)
SELECT * FROM requests AS a ASOF JOIN requests AS b ON a.route = b.route AND a.seq > b.seq
SELECT * FROM requests LIMIT toUInt8((SELECT model FROM usage_event LIMIT 1))
SELECT model FROM (SELECT model FROM requests SETTINGS `log_comment` = '{foreign}')
SELECT model FROM (SELECT model FROM requests SETTINGS readonly = 0, log_comment = '{foreign}')
SELECT 1 FROM (SELECT model FROM requests SETTINGS additional_table_filters = {'weir.usage_event': 'throwIf(model = ''secret-1'', model) = 0'})
SELECT 1 FROM (SELECT model FROM requests SETTINGS additional_table_filters = {'weir.usage_event': 'toUInt8(model) = 0'})
SELECT 1 FROM (SELECT model FROM requests SETTINGS additional_table_filters = {'usage_event': 'toUInt8(model) = 0'})
SELECT 1 FROM (SELECT model FROM requests SETTINGS additional_table_filters = {'weir.requests': 'toUInt8(model) = 0'})
SELECT 1 FROM (SELECT * FROM requests SETTINGS additional_result_filter = 'toUInt8(model) = 0')
SELECT * FROM (SELECT * FROM requests SETTINGS use_query_cache = 1, query_cache_share_between_users = 1, query_cache_min_query_duration = 0)
SELECT count() FROM (SELECT * FROM requests WHERE model = 'secret-1' SETTINGS use_query_condition_cache = 1)
SELECT * FROM (SELECT * FROM requests SETTINGS enable_analyzer = 0, allow_experimental_analyzer = 0)
SELECT 1 FROM (SELECT * FROM requests WHERE if(cost_usd > 100, toUInt8(model), 1) = 1 SETTINGS optimize_move_to_prewhere = 1, query_plan_filter_push_down = 1, enable_optimize_predicate_expression = 1)
SELECT 1 FROM (SELECT * FROM requests WHERE if(cost_usd > 100, toUInt8(model), 1) = 1 SETTINGS short_circuit_function_evaluation = 'disable')
SELECT * FROM (SELECT * FROM requests SETTINGS force_primary_key = 1, log_queries = 1, send_logs_level = 'trace')
SELECT model FROM (SELECT model FROM requests SETTINGS log_comment = '{foreign}')
SELECT ‘'’, * FROM (SELECT model FROM requests SETTINGS log_comment = '{foreign}') WHERE model != ‘'’
SELECT initialQueryID(), queryID() FROM requests LIMIT 1
SELECT `file`('/etc/passwd')
SELECT "file"('/etc/passwd')
SELECT `\x66ile`('/etc/passwd')
SELECT FiLe('/etc/passwd')
SELECT arrayMap(x -> file(x), ['/etc/passwd'])
SELECT * APPLY(file) FROM (SELECT '/etc/passwd')
SELECT file/* */('/etc/passwd')
SELECT hex(file('../../../../../etc/passwd'))
SELECT getServerPort('tcp_port')
SELECT name, data_path FROM system.databases
SELECT * FROM `system`.`databases`
SELECT toUInt8(labels['note']) FROM requests
SELECT 1 FROM requests WHERE if(labels['note'] != 'secret-4', toUInt8(end_user), 1) = 1
SELECT throwIf(end_user LIKE 'user-secret-1%', 'found it') FROM attempts
SELECT toUInt8(c.provider) FROM requests ARRAY JOIN candidates AS c WHERE c.model = 'secret-1'
SELECT arrayMap(c -> toUInt8(c.model), candidates) FROM requests WHERE kind = 'request'
SELECT mapApply((k, v) -> (k, toString(toUInt8(v))), labels) FROM attempts
SELECT labels.values, labels.keys FROM requests
SELECT DISTINCT end_user, run_id, labels, candidates, kind FROM requests
SELECT kind, sum(cost_usd), any(model) FROM spend_daily GROUP BY kind
SELECT 1 FROM (SELECT * FROM requests SETTINGS additional_table_filters = {'weir.usage_event': 'toUInt8(end_user) = 0'})
SELECT 1 FROM (SELECT * FROM attempts SETTINGS additional_table_filters = {'weir.usage_event': 'throwIf(labels[''note''] = ''secret-1'', end_user) = 0'})
SELECT end_user, labels FROM usage_event WHERE kind != 'shadow'
SELECT * FROM records
SELECT * FROM spend_by_model
SELECT * FROM spend_by_label
SELECT * FROM errors_hourly
SELECT * FROM cache_savings
SELECT route, provider, model, error_code, count() FROM records GROUP BY route, provider, model, error_code
SELECT route, count() FROM records WHERE throwIf(route LIKE '%secret-1%', 'found it') = 0 GROUP BY route
SELECT sum(priced_cost_usd) FROM records WHERE if(model != 'secret-4', toUInt8(model), 1) = 1
SELECT count() FROM records WHERE hour > '2020-01-01 00:00:00' AND if(route != 'route-secret-4', toUInt8(route), 1) = 1
SELECT toUInt8(model) AS m, countIf(failed) FROM records WHERE model != 'secret-4' GROUP BY m
SELECT day, count() FROM records WHERE intDiv(1, if(error_code = 'code-secret-1', 0, 1)) = 1 GROUP BY day
SELECT toUInt8(labels['note']) AS n, sum(priced_cost_usd) FROM records WHERE labels['note'] != 'secret-4' GROUP BY n
SELECT labels['note'] AS n, count() FROM records WHERE throwIf(labels['note'] = 'secret-1', 'found it') = 0 GROUP BY n
SELECT route, quantileDDIf(0.01, 0.95)(duration_us, served) FROM records GROUP BY route HAVING throwIf(route LIKE '%secret-1', 'found it') = 0
SELECT quantileDDIf(0.01, 0.5)(duration_us, served) FROM requests WHERE throwIf(provider = 'provider-secret-2', provider) = 0
SELECT throwIf(cost_usd > 100000, 'found it') FROM spend_daily WHERE provider != 'provider-secret-4'
SELECT max(toUInt8(value)) FROM spend_by_label WHERE value != 'secret-4'
SELECT max(toUInt8(model)) FROM spend_by_model WHERE model != 'secret-4'
SELECT toUInt8(error_code) FROM errors_hourly WHERE error_code != 'code-secret-4'
SELECT toUInt8(provider) FROM latency_hourly WHERE provider != 'provider-secret-4'
SELECT * FROM mergeTreeProjection('weir', 'usage_event', 'labels_day')
SELECT * FROM mergeTreeProjection(currentDatabase(), 'usage_event', 'targets_hour')
SELECT * FROM records
SELECT * FROM arrivals
SELECT * FROM spend_by_model
SELECT * FROM spend_by_label
SELECT * FROM errors_hourly
SELECT * FROM cache_savings
SELECT count() FROM records
SELECT count() FROM arrivals
SELECT hour, route, count(), sum(priced_cost_usd) FROM requests GROUP BY hour, route
SELECT hour, kind, project_id, key_id, route, count() FROM records GROUP BY ALL
SELECT day, labels, count() FROM requests GROUP BY day, labels
SELECT day, arrayMap(x -> toUInt8(x), mapValues(labels)), count() FROM requests GROUP BY day, labels
SELECT hour, toUInt8(route), count() FROM requests GROUP BY hour, route
SELECT hour, throwIf(route = 'route-secret-1', route), count() FROM requests GROUP BY hour, route
SELECT hour, count() FROM requests WHERE if(route != 'route-secret-4', toUInt8(route), 1) = 1 GROUP BY hour, route
SELECT route, count() AS n FROM requests GROUP BY route HAVING throwIf(route = 'route-secret-2', route) = 0
SELECT toUInt8(label_value) FROM spend_by_label
SELECT throwIf(stored_by > '2020-01-01' AND toString(request_id) != '', toString(request_id)) FROM arrivals WHERE request_id NOT IN (SELECT request_id FROM requests)
SELECT * FROM mergeTreeProjection('weir', 'usage_event', 'keys_hour')
SELECT * FROM mergeTreeProjection(weir, usage_event, routes_hour)
SELECT * FROM `mergeTreeProjection`('weir', 'usage_event', 'targets_hour')
SELECT * FROM mergeTreeProjection('weir', 'usage_event', 'labels_day')
SELECT * FROM mergeTreeAnalyzeIndexes('weir', 'usage_event')
SELECT * FROM mergeTreeTextIndex('weir', 'usage_event', 'request_id')
SELECT * FROM system.projections
SELECT * FROM system.projection_parts
SELECT * FROM system.mutations
SELECT * FROM weir.usage_trial
SELECT lost_requests, lost_attempts FROM usage_event
SELECT organization_id FROM records
SELECT * FROM {t:Identifier}
SELECT * FROM weir.{t:Identifier}
SELECT {c:Identifier} FROM requests
SELECT * FROM requests WHERE model = {p:String}
SELECT * FROM (SELECT * FROM requests SETTINGS session_timezone = 'Europe/Berlin', log_comment = '{foreign}')
SELECT blockSize(), count() FROM requests GROUP BY blockSize()
SELECT rowNumberInBlock() FROM requests
SELECT randConstant(), count() FROM requests GROUP BY 1
SELECT nowInBlock(), count() FROM requests GROUP BY 1
SELECT runningDifference(seq) FROM requests
SELECT neighbor(model, 1) FROM requests
SELECT count() FROM (SELECT toInt64(number) AS n FROM numbers(99999800) UNION ALL SELECT seq FROM requests)
WITH RECURSIVE t AS (SELECT 1 AS n, model FROM requests UNION ALL SELECT n + 1, model FROM t WHERE n < 1000000) SELECT count() FROM t
WITH RECURSIVE t AS (SELECT model FROM usage_event UNION ALL SELECT model FROM t) SELECT * FROM t
SELECT count() FROM requests AS a, requests AS b, requests AS c, requests AS d, requests AS e
SELECT count() FROM numbers(10000000) AS a CROSS JOIN numbers(10000000) AS b WHERE sipHash64(a.number, b.number) = 1
SELECT max(length(repeat(toString(number), 10000000))) FROM numbers(100)
SELECT match(repeat('a', 1000000), '(a*)*(a*)*(a*)*b')
SELECT extractAll(repeat('a', 100000), '(a+)+b') FROM numbers(1000)
SELECT replaceRegexpAll(repeat('ab', 1000000), '(a|b|ab)*', repeat('x', 1000)) FROM numbers(1000)
SELECT arrayReduce('groupArray', range(100000000))
SELECT groupArray(repeat('x', 100000)) FROM numbers(100000)
SELECT uniqExact(sipHash64(number)) FROM numbers(10000000000)
SELECT quantileExact(number) FROM numbers(10000000000)
SELECT * FROM numbers(1000000000) ORDER BY sipHash64(number)
SELECT repeat('x', 100000) FROM numbers(8000)
SELECT arrayFold(acc, x -> arrayConcat(acc, acc), range(40), [1])
SELECT JSONExtract(repeat('[', 100000), 'Array(Array(String))')
SELECT arrayMap(x -> sleep(3), range(10))
SELECT * FROM requests -- ' SETTINGS log_comment = '{foreign}'
SELECT model /* ' */ FROM requests /* SETTINGS log_comment = '{foreign}' */
SELECT $$'$$, model FROM requests
SELECT * FROM requests WHERE model = '\' OR 1 = 1 --'
SELECT * FROM requests LIMIT 1 INTO/**/OUTFILE 'x'
SELECT * FROM requests OFFSET 0 ROWS FETCH FIRST 1 ROW ONLY FORMAT Null
SELECT * FROM requests PARALLEL WITH SELECT 1
SELECT * FROM (EXPLAIN (SELECT * FROM requests))
SELECT lowCardinalityKeys(route), lowCardinalityIndices(route) FROM requests
SELECT DISTINCT lowCardinalityKeys(provider) FROM attempts
SELECT DISTINCT dumpColumnStructure(model) FROM requests
SELECT nowInBlock64(), count() FROM requests GROUP BY 1
SELECT runningConcurrency(started_at, started_at) FROM requests
SELECT fullHostName(), query_id(), tid() FROM requests LIMIT 1
SELECT estimateCompressionRatio(route), estimateCompressionRatio('ZSTD', 8192)(model) FROM requests
SELECT * FROM deltaLakeLocal('/etc', 'CSV', 'x String')
SELECT * FROM icebergLocal('/etc', 'CSV', 'x String')
SELECT * FROM paimonLocal('/etc', 'CSV', 'x String')
SELECT * FROM cosn('http://127.0.0.1/x', 'CSV', 'x String')
SELECT * FROM ytsaurus('http://127.0.0.1', '//x', 't', 'a Int8')
SELECT * FROM arrowFlight('127.0.0.1:1', 'x')
SELECT aiGenerate('x'), fuzzQuery('SELECT 1')
SELECT argMax((route, cost_usd), cost_usd) FROM requests
