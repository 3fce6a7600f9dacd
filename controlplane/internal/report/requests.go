package report

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

const defaultPage = 50

// List asks for requests, newest first.
type List struct {
	// Size of the page; 0: 50.
	Size int
	// Token from the page before; empty: the newest.
	Token string
}

// Request is one row of the view requests. Times are microseconds.
type Request struct {
	RequestID, ProjectID, KeyID, GatewayID uuid.UUID
	StartedAt                              time.Time
	Route, Provider, Model, Outcome        string
	ErrorCode, PriceBookVersion            string
	Streamed                               bool
	Status, Attempts                       uint16
	InputTokens, OutputTokens              int64
	CostNanoUSD                            *int64 // nil: unpriced
	DurationUS                             int64
	TimeToFirstTokenUS                     *int64
	PolicyVersion                          int64
}

// SQL asks for one row more than the page, to know whether there is a next one.
func (l List) SQL() string {
	where := ""
	if l.Token != "" {
		where = "\nWHERE (started_at, request_id) < ({before:DateTime64(6, 'UTC')}, {before_id:UUID})"
	}
	return `SELECT
  request_id, started_at, route, project_id, key_id, provider, model, streamed, outcome, status, error_code,
  input_tokens, output_tokens, cost_usd, duration_us, time_to_first_token_us, policy_version, attempts,
  price_book_version, gateway_id
FROM requests` + where + `
ORDER BY started_at DESC, request_id DESC
LIMIT {size:UInt16}`
}

func (l List) parameters() (clickhouse.Parameters, error) {
	out := clickhouse.Parameters{"size": strconv.Itoa(l.Size + 1)}
	if l.Token == "" {
		return out, nil
	}
	started, id, err := fromToken(l.Token)
	if err != nil {
		return nil, fault.Field("page_token", "it is not of this list")
	}
	out["before"], out["before_id"] = parameterTime(started), id.String()
	return out, nil
}

// The token names the last row that the caller saw; it is no secret.
func toToken(r Request) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", r.StartedAt.UnixMicro(), r.RequestID))
}

func fromToken(token string) (time.Time, uuid.UUID, error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return time.Time{}, uuid.Nil, err
	}
	started, id, _ := strings.Cut(string(text), " ")
	us, err := strconv.ParseInt(started, 10, 64)
	if err != nil {
		return time.Time{}, uuid.Nil, err
	}
	parsed, err := uuid.Parse(id)
	return time.UnixMicro(us), parsed, err
}

// Requests returns a page and the token of the next one, empty on the last.
func (r *Reports) Requests(ctx context.Context, l List) ([]Request, string, error) {
	if l.Size == 0 {
		l.Size = defaultPage
	}
	parameters, err := l.parameters()
	if err != nil {
		return nil, "", err
	}
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return nil, "", err
	}
	defer leave()
	var out []Request
	err = r.each(ctx, l.SQL(), parameters, func(rows driver.Rows) error {
		one, err := scanRequest(rows)
		out = append(out, one)
		return err
	})
	if err != nil || len(out) <= l.Size {
		return out, "", err
	}
	return out[:l.Size], toToken(out[l.Size-1]), nil
}

func scanRequest(rows driver.Rows) (r Request, err error) {
	var cost *decimal.Decimal
	err = rows.Scan(&r.RequestID, &r.StartedAt, &r.Route, &r.ProjectID, &r.KeyID, &r.Provider, &r.Model, &r.Streamed,
		&r.Outcome, &r.Status, &r.ErrorCode, &r.InputTokens, &r.OutputTokens, &cost, &r.DurationUS, &r.TimeToFirstTokenUS,
		&r.PolicyVersion, &r.Attempts, &r.PriceBookVersion, &r.GatewayID)
	if cost != nil {
		n := nano(*cost)
		r.CostNanoUSD = &n
	}
	return r, err
}
