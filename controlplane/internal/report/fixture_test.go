package report_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/report"
)

const (
	tenants = 6
	perRow  = 50 // requests of each tenant
)

// house is a server with several tenants whose rows lie between each other in one
// granule. Every text of tenant i has the marker i.
type house struct {
	*report.Reports
	server        *chtest.Server
	admin         driver.Conn
	organizations []uuid.UUID
}

func TestMain(m *testing.M) { os.Exit(chtest.Run(m)) }

func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseOn(t, chtest.Shared(t))
}

func newHouseOn(t *testing.T, server *chtest.Server) *house {
	t.Helper()
	reports, err := report.Open(server.ReportURL, chtest.Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reports.Close() })
	h := &house{Reports: reports, server: server, admin: server.Admin(t)}
	var list string
	for i := range tenants {
		// Close to each other, so that neither order nor granule parts them.
		id := uuid.MustParse(fmt.Sprintf("0192a000-0000-7000-8000-0000000000%02x", i+1))
		h.organizations = append(h.organizations, id)
		list += fmt.Sprintf("%s'%s'", map[bool]string{true: ", "}[i > 0], id)
	}
	h.exec(t, fmt.Sprintf(fill, list, tenants*perRow))
	h.exec(t, `INSERT INTO usage_range (organization_id, gateway_id, agent_id, boot, first_seq, last_seq, payload_sha256)
		SELECT DISTINCT organization_id, gateway_id, agent_id, boot, 1, `+fmt.Sprint(perRow)+`, '' FROM usage_event`)
	h.exec(t, `INSERT INTO agent_tail (organization_id, gateway_id, agent_id, boot, last_seq)
		SELECT DISTINCT organization_id, gateway_id, agent_id, boot, 53 FROM usage_event`)
	return h
}

const fill = `INSERT INTO usage_event (organization_id, gateway_id, agent_id, boot, seq, request_id, surface, started_at, duration_us,
	time_to_first_token_us, overhead_us, key_id, route, streamed, outcome, status, error_code, policy_version, provider, model,
	price_book_version, text_input_tokens, text_output_tokens, cost_usd, priced_cost_usd,
	attempt.provider, attempt.model, attempt.cost_usd, attempt.text_input_tokens, lease_until,
	end_user, run_id, labels, candidate.provider, candidate.model, candidate.verdict, attempt.cause)
WITH [%s] AS organizations, number %% length(organizations) AS tenant, intDiv(number, length(organizations)) AS n
SELECT toUUID(organizations[tenant + 1]), toUUID(organizations[tenant + 1]), toUUID(organizations[tenant + 1]), 'boot-secret-' || toString(tenant), n + 1,
	generateUUIDv7(number), 'openai_chat', toDateTime64('2026-11-20 10:00:00', 6, 'UTC') + toIntervalMinute(n), 1000 * (n + 1),
	if(n %% 2 = 0, 500, NULL), 10, toUUID(organizations[tenant + 1]), 'route-secret-' || toString(tenant), n %% 2 = 0,
	if(n %% 10 = 9, 'upstream_error', 'ok'), 200, 'code-secret-' || toString(tenant), 7, 'provider-secret-' || toString(tenant),
	'secret-' || toString(tenant), '2026-07', 10, 20, if(n = 3, NULL, toDecimal64(1000 * tenant + 0.000000001, 9)),
	if(n = 3, 0, toDecimal64(1000 * tenant + 0.000000001, 9)),
	['provider-secret-' || toString(tenant)], ['secret-' || toString(tenant)], [if(n = 3, NULL, toDecimal64(1000 * tenant + 0.000000001, 9))], [10],
	now() + INTERVAL 1 HOUR,
	'user-secret-' || toString(tenant), 'run-secret-' || toString(tenant), map('note', 'secret-' || toString(tenant)),
	['provider-secret-' || toString(tenant)], ['secret-' || toString(tenant)], ['chosen'], ['first']
FROM numbers(%d)`

func (h *house) exec(t *testing.T, statement string) {
	t.Helper()
	if err := h.admin.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// as is a context of a caller of tenant i.
func (h *house) as(ctx context.Context, i int) context.Context {
	return authn.With(ctx, authn.Principal{Kind: authn.ServiceAccount, ID: uuid.New(), OrganizationID: h.organizations[i]})
}

// Run runs a text without parameters.
func (h *house) Run(ctx context.Context, sql string) (report.Result, error) {
	return h.Reports.Run(ctx, report.Query{SQL: sql})
}
