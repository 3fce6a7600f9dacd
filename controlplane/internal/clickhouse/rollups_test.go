package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// anything inserts rows of random tenants, times within 40 days, kinds and outcomes, with
// no attempt to three, some unpriced, some estimated, with and without labels and savings.
// A tombstone has no attempts and sums of its own.
const anything = `INSERT INTO usage_event (organization_id, request_id, agent_id, boot, seq, started_at, kind, project_id, key_id, route, provider, model,
	streamed, outcome, status, error_code, duration_us, time_to_first_token_us, overhead_us, estimated, labels,
	text_input_tokens, cache_read_tokens, text_output_tokens, cost_usd, priced_cost_usd,
	attempt.provider, attempt.model, attempt.outcome, attempt.usage_source, attempt.text_input_tokens, attempt.cache_read_tokens, attempt.text_output_tokens,
	attempt.cost_usd, attempt.cache_saved_usd, lost_requests, lost_shadows, lost_attempts, lost_unpriced_attempts, lease_until)
WITH rand(1) AS a, rand(2) AS b, rand(3) AS c, rand(4) AS d,
	multiIf(a %% 20 = 0, 'tombstone', a %% 10 = 1, 'shadow', 'request') AS of_kind,
	if(of_kind = 'tombstone', 0, b %% 4) AS n, range(n) AS each, of_kind = 'tombstone' AS loss,
	arrayMap(i -> if(cityHash64(c, i) %% 7 = 0, NULL, CAST(toString(cityHash64(d, i) %% 4) || '.' || leftPad(toString(cityHash64(d, i) %% 1000000007 %% 1000000000), 9, '0') AS Decimal(18, 9))), each) AS costs,
	arrayMap(i -> if(cityHash64(a, i) %% 3 = 0, NULL, CAST(if(i = 1, '-', '') || '0.' || leftPad(toString(cityHash64(b, i) %% 1000000), 9, '0') AS Decimal(18, 9))), each) AS saved,
	arrayMap(i -> toInt64(cityHash64(a, i) %% 5000), each) AS inputs, arrayMap(i -> toInt64(cityHash64(b, i) %% 900), each) AS outputs,
	CAST(toString(a %% 90) || '.000000001' AS Decimal(18, 9)) AS lost_cost
SELECT toUUID('%s' || leftPad(toString(number %% 3 + 1), 12, '0')), generateUUIDv4(), toUUID('%[1]s' || leftPad(toString(number %% 3 + 1), 12, '0')), 'boot', number,
	now64(6) - toIntervalSecond(c %% 3456000), of_kind, toUUID('%[1]s' || leftPad(toString(d %% 3), 12, '0')), toUUID('%[1]s' || leftPad(toString(d %% 9), 12, '0')),
	['fast', 'smart', ''][d %% 3 + 1], if(n = 0, '', 'p' || toString(b %% 2)), if(n = 0, '', 'm' || toString(n)),
	a %% 2 = 0, if(n = 0, 'refused', ['ok', 'ok', 'client_closed', 'upstream_error'][d %% 4 + 1]), 200, '', toInt64(a %% 10000000), if(c %% 2 = 0, toInt64(c %% 900000), NULL), toInt64(b %% 900), d %% 9 = 0,
	if(c %% 3 = 0, map(), map('team', 't' || toString(d %% 4), 'env', 'e' || toString(a %% 2))),
	if(loss, a %% 1000, arraySum(inputs)), arraySum(inputs), if(loss, b %% 1000, arraySum(outputs)),
	if(loss, if(a %% 3 = 0, NULL, lost_cost), if(arrayExists(x -> isNull(x), costs), NULL, arraySum(arrayMap(x -> assumeNotNull(x), costs)))),
	if(loss, lost_cost, arraySum(arrayMap(x -> ifNull(x, toDecimal64(0, 9)), costs))),
	arrayMap(i -> 'p' || toString((b + i + 1 + n) %% 2), each), arrayMap(i -> 'm' || toString(n), each), arrayMap(i -> 'ok', each), arrayMap(i -> if(d %% 9 = 0, 'estimated', 'reported'), each),
	inputs, inputs, outputs, costs, saved,
	loss * (a %% 100), loss * (b %% 10), loss * (a %% 100 + b %% 10), loss * (a %% 3 = 0), now() + INTERVAL 1 HOUR
FROM numbers(%d)`

const tenantPrefix = "0192a000-0000-7000-8000-"

// Costs from rollups equal costs from rows, to the nano-dollar, and so do all other sums,
// for each tenant: of rows from before the rollups, of several parts, of late rows, and
// once parts are merged.
func TestRollups_equal_rows(t *testing.T) {
	server := chtest.Start(t)
	admin := server.Admin(t)
	backTo(t, server, "0115_rollups")
	apply(t, server, "0115_rollups.down")
	exec(t, admin, "ALTER TABLE usage_event ADD COLUMN `attempt.cache_saved_usd` Array(Nullable(Decimal(18, 9)))")
	exec(t, admin, fmt.Sprintf(anything, tenantPrefix, 2000))
	up := statements(t, "0115_rollups.up")
	for _, statement := range up[:len(up)-1] { // the last one gives rollups to these rows
		exec(t, admin, statement)
	}
	apply(t, server, "0116_views.up")
	exec(t, admin, "SYSTEM STOP MERGES usage_event")
	insert(t, server) // as a former build does
	for range 3 {
		exec(t, admin, fmt.Sprintf(anything, tenantPrefix, 2000))
	}
	equalRows(t, server, "in parts")
	exec(t, admin, "SYSTEM START MERGES usage_event")
	exec(t, admin, up[len(up)-1])
	exec(t, admin, fmt.Sprintf(anything, tenantPrefix, 500)) // late: into hours that are there
	exec(t, admin, "OPTIMIZE TABLE usage_event FINAL")
	equalRows(t, server, "merged")

	// Rollups leave with their rows.
	const before = "SELECT toString(count()) FROM records WHERE hour < now() - INTERVAL 13 MONTH AND route = 'fast'"
	exec(t, admin, "SYSTEM STOP TTL MERGES usage_event")
	exec(t, admin, strings.Replace(fmt.Sprintf(anything, tenantPrefix, 500), "now64(6) - toIntervalSecond", "now64(6) - INTERVAL 14 MONTH - toIntervalSecond", 1))
	if n := text(t, server.Report(t), tenantPrefix+"000000000001", before); n == "0" {
		t.Fatal("no old rows")
	}
	exec(t, admin, "SYSTEM START TTL MERGES usage_event")
	exec(t, admin, "OPTIMIZE TABLE usage_event FINAL")
	if n := text(t, server.Report(t), tenantPrefix+"000000000001", before); n != "0" {
		t.Errorf("%s old requests are in rollups", n)
	}
}

func exec(t *testing.T, conn driver.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// sumsOfRows are what everything is held against: rows, one by one, without projections.
const sumsOfRows = `count(), countIf(kind = 'request'), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens), sum(text_output_tokens),
	sum(arrayCount(x -> isNull(x), attempt.cost_usd)), sum(length(attempt.cost_usd)), sum(arraySum(arrayMap(x -> ifNull(x, toDecimal64(0, 9)), attempt.cache_saved_usd))),
	sum(lost_requests), sum(lost_attempts), sum(lost_unpriced_attempts), countIf(cost_usd IS NULL), countIf(outcome NOT IN ('ok', 'client_closed')),
	sumIf(priced_cost_usd, kind = 'tombstone'), sumIf(priced_cost_usd * length(labels), kind != 'tombstone'), sumIf(priced_cost_usd, labels['team'] = 't1')`

func equalRows(t *testing.T, server *chtest.Server, when string) {
	t.Helper()
	admin, report := server.Admin(t), server.Report(t)
	for tenant := 1; tenant <= 3; tenant++ {
		id := tenantPrefix + fmt.Sprintf("%012d", tenant)
		want := strings.Split(text(t, admin, "", "SELECT "+columnsText(sumsOfRows)+" FROM usage_event WHERE organization_id = '"+id+"' SETTINGS optimize_use_projections = 0"), "|")
		if want[0] == "0" || want[5] == "0" || want[8] == "0" {
			t.Fatalf("%s: no rows, unpriced attempts or losses in %v", when, want)
		}
		for name, c := range map[string]struct {
			projection, sql string
			want            []string
		}{
			"keys_hour":  {"keys_hour", "SELECT count(), countIf(failed), sum(priced_cost_usd), sum(input_tokens), sum(output_tokens), sum(attempts), countIf(unpriced), sum(cache_saved_usd), sum(lost_requests) FROM records WHERE hour > '2020-01-01 00:00:00' AND key_id != '" + uuid.Nil.String() + "'", pick(want, 0, 12, 2, 3, 4, 6, 11, 7, 8)},
			"by_hour":    {"_hour", "SELECT sum(n), sum(cost) FROM (SELECT toStartOfDay(hour, 'Asia/Kolkata') AS of, count() AS n, sum(priced_cost_usd) AS cost FROM records WHERE route != 'none' GROUP BY of, route)", pick(want, 0, 2)},
			"by_target":  {"targets_hour", "SELECT sum(n), sum(cost) FROM (SELECT count() AS n, sum(priced_cost_usd) AS cost FROM records GROUP BY hour, provider, outcome, status)", pick(want, 0, 2)},
			"by_day":     {"targets_day", "SELECT sum(n), sum(cost) FROM (SELECT count() AS n, sum(priced_cost_usd) AS cost FROM records GROUP BY day, streamed, error_code)", pick(want, 0, 2)},
			"spend":      {"attempts_day", "SELECT sum(requests), sum(cost_usd), sum(input_tokens), sum(output_tokens), sum(unpriced_attempts), sum(attempts), sum(cache_saved_usd), sum(lost_requests), sum(lost_attempts), sum(lost_unpriced_attempts) FROM spend_daily", pick(want, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)},
			"models":     {"_day", "SELECT sum(requests), sum(cost_usd), sum(input_tokens), sum(output_tokens), sum(unpriced_attempts), sum(attempts), sum(cache_saved_usd), sum(lost_requests) FROM spend_by_model", pick(want, 1, 2, 3, 4, 5, 6, 7, 8)},
			"losses":     {"_day", "SELECT sum(cost_usd) FROM spend_by_model WHERE kind = 'tombstone'", pick(want, 13)},
			"savings":    {"_day", "SELECT sum(cache_saved_usd), sum(attempts), sum(uncached_cost_usd) = sum(cost_usd) + sum(cache_saved_usd) FROM cache_savings", append(pick(want, 7, 6), "1")},
			"labels":     {"labels_day", "SELECT sum(cost_usd) FROM spend_by_label WHERE kind != 'tombstone'", pick(want, 14)},
			"one_label":  {"labels_day", "SELECT sumIf(cost_usd, label = 'team' AND value = 't1') FROM spend_by_label", pick(want, 15)},
			"team_plain": {"labels_day", "SELECT sum(cost) FROM (SELECT labels['team'] AS team, sum(priced_cost_usd) AS cost FROM records WHERE day > '2020-01-01' GROUP BY team) WHERE team = 't1'", pick(want, 15)},
			"attempts":   {"", "SELECT sum(cost_usd) FROM (SELECT sum(cost_usd) AS cost_usd FROM attempts UNION ALL SELECT sum(priced_cost_usd) FROM records WHERE kind = 'tombstone')", pick(want, 2)},
			"incomplete": {"", "SELECT sum(lost_requests), sum(lost_cost_usd) FROM completeness", pick(want, 8, 13)},
		} {
			fields, from, _ := strings.Cut(strings.TrimPrefix(c.sql, "SELECT "), " FROM ")
			got := text(t, report, id, "SELECT "+columnsText(fields)+" FROM "+from)
			if diff := cmp.Diff(c.want, strings.Split(got, "|")); diff != "" {
				t.Errorf("%s, tenant %d, %s: %s", when, tenant, name, diff)
			}
			if plan := plan(t, admin, id, c.sql); c.projection != "" && !strings.Contains(plan, c.projection+")") {
				t.Errorf("%s: %s is not read from %s:\n%s", when, name, c.projection, plan)
			}
		}
	}
}

func pick(all []string, which ...int) (out []string) {
	for _, i := range which {
		out = append(out, all[i])
	}
	return out
}

// columnsText makes one text of all columns.
func columnsText(columns string) string {
	return "arrayStringConcat([" + "toString(" + strings.Join(splitColumns(columns), "), toString(") + ")], '|')"
}

// splitColumns splits at the commas that stand in no parentheses.
func splitColumns(columns string) (out []string) {
	depth, from := 0, 0
	for i, c := range columns {
		switch {
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			out, from = append(out, columns[from:i]), i+1
		}
	}
	return append(out, columns[from:])
}

func text(t *testing.T, conn driver.Conn, organization, sql string) (out string) {
	t.Helper()
	ctx := t.Context()
	if organization != "" {
		ctx = of(organization)
	}
	if err := conn.QueryRow(ctx, sql).Scan(&out); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// of has the id that the row filters read.
func of(organization string) context.Context {
	return clickhouse.Context(context.Background(), clickhouse.WithQueryID(organization+"."+uuid.NewString()))
}

func plan(t *testing.T, admin driver.Conn, organization, sql string) string {
	t.Helper()
	rows, err := admin.Query(of(organization), "EXPLAIN "+sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
