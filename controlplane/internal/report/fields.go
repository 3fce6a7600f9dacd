package report

import (
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/filter"
)

// RequestFields are what lists of requests are filtered and ordered by. Money is left
// to SQL.
var RequestFields = filter.Schema{
	Fields: []filter.Field{
		requestField("request_id", filter.ID), ordered(requestField("started_at", filter.Time)), routeField,
		requestField("project_id", filter.ID), requestField("key_id", filter.ID), requestField("gateway_id", filter.ID),
		requestField("provider", filter.Text), requestField("model", filter.Text), requestField("streamed", filter.Bool),
		requestField("outcome", filter.Text), requestField("status", filter.Number), requestField("error_code", filter.Text),
		ordered(requestField("input_tokens", filter.Number)), ordered(requestField("output_tokens", filter.Number)),
		ordered(requestField("duration_us", filter.Number)), requestField("time_to_first_token_us", filter.Number),
		requestField("policy_version", filter.Number), requestField("attempts", filter.Number), requestField("price_book_version", filter.Text),
		requestField("surface", filter.Text), requestField("end_user", filter.Text), requestField("run_id", filter.Text), requestField("labels", filter.Labels),
		requestField("refused_by_quota_id", filter.ID), requestField("queued_us", filter.Number),
	},
	Search: routeField, ID: "request_id", Order: "started_at desc",
}

var routeField = requestField("route", filter.Text)

// requestField is a column of the view requests.
func requestField(name string, kind filter.Kind) filter.Field {
	return filter.Field{Name: name, Kind: kind, SQL: name}
}

func ordered(f filter.Field) filter.Field {
	f.Ordered = true
	return f
}

// addParameters says values as ClickHouse reads them: texts with escapes, which the
// driver puts into quotes and escapes once more.
func addParameters(to clickhouse.Parameters, values map[string]any) {
	for name, value := range values {
		switch v := value.(type) {
		case time.Time:
			to[name] = parameterTime(v)
		case uuid.UUID:
			to[name] = v.String()
		case int64:
			to[name] = strconv.FormatInt(v, 10)
		case bool:
			to[name] = strconv.FormatBool(v)
		case string:
			to[name] = strings.ReplaceAll(v, `\`, `\\`)
		}
	}
}
