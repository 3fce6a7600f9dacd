package report

import (
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
)

// Measure of requests, in the order of weir.admin.v1.Measure.
type Measure int

// Measures; what they are is said there.
const (
	RequestCount Measure = iota + 1
	ErrorCount
	Spend
	UnpricedRequests
	InputTokens
	OutputTokens
	Tokens
	CacheReadTokens
	DurationP50
	DurationP95
	DurationP99
	FirstTokenP50
	FirstTokenP95
	FirstTokenP99
)

// adds tells that parts add up to the whole, and that nothing is 0.
func (m Measure) adds() bool { return m <= CacheReadTokens }

// measureSQL are integers: counts, nano-dollars, tokens, microseconds. Each is as the
// rollups have it (migrations/clickhouse/0115), or all rows would be read.
var measureSQL = map[Measure]string{
	RequestCount:     "count()",
	ErrorCount:       "countIf(failed)",
	Spend:            "sum(priced_cost_usd) * 1000000000",
	UnpricedRequests: "countIf(unpriced)",
	InputTokens:      "sum(input_tokens)",
	OutputTokens:     "sum(output_tokens)",
	Tokens:           "sum(input_tokens) + sum(output_tokens)",
	CacheReadTokens:  "sum(cache_read_tokens)",
	DurationP50:      "round(quantileDDIf(0.01, 0.50)(duration_us, served))",
	DurationP95:      "round(quantileDDIf(0.01, 0.95)(duration_us, served))",
	DurationP99:      "round(quantileDDIf(0.01, 0.99)(duration_us, served))",
	FirstTokenP50:    "round(quantileDDIf(0.01, 0.50)(first_token_us, has_first_token))",
	FirstTokenP95:    "round(quantileDDIf(0.01, 0.95)(first_token_us, has_first_token))",
	FirstTokenP99:    "round(quantileDDIf(0.01, 0.99)(first_token_us, has_first_token))",
}

// dimensionSQL are what requests are grouped by, but for labels.
var dimensionSQL = map[string]string{
	"project": "project_id", "key": "key_id", "gateway": "gateway_id",
	"route": "route", "provider": "provider", "model": "model", "surface": "surface", "outcome": "outcome", "end_user": "end_user",
}

const (
	labelDimension = "label:"
	defaultTop     = 10
	// maxCells bounds values of all points of all series, those of the period before included.
	maxCells = 50_000
)

// Metrics asks for measures of requests in [From, To) over time.
type Metrics struct {
	Measures []Measure
	// GroupBy are names of dimensionSQL, or label:<name>.
	GroupBy []string
	// Filter is of RequestFields.
	Filter   filter.Filter
	From, To time.Time
	Interval Interval
	// TimeZone is an IANA name; empty: UTC.
	TimeZone        string
	Top             int
	ComparePrevious bool

	zone *time.Location // of TimeZone, once WithDefaults knows it
}

// WithDefaults ends at now, begins a day before its end, and is cut into hours.
func (m Metrics) WithDefaults(now time.Time) Metrics {
	o := Overview{From: m.From, To: m.To, Interval: m.Interval, TimeZone: m.TimeZone}.WithDefaults(now)
	m.From, m.To, m.Interval, m.TimeZone = o.From, o.To, o.Interval, o.TimeZone
	if m.Top == 0 {
		m.Top = defaultTop
	}
	m.zone, _ = loadZone(m.TimeZone) // Validate says what is wrong with it
	return m
}

// Validate returns a fault for the caller.
func (m Metrics) Validate() error {
	if _, err := loadZone(m.TimeZone); err != nil {
		return err
	}
	if !m.From.Before(m.To) {
		return fault.Field("to", "must be after from")
	}
	if len(m.Measures) == 0 || slices.ContainsFunc(m.Measures, func(one Measure) bool { return measureSQL[one] == "" }) {
		return fault.Field("measures", "want at least one, of those there are")
	}
	for _, name := range m.GroupBy {
		label, isLabel := strings.CutPrefix(name, labelDimension)
		if dimensionSQL[name] == "" && (!isLabel || label == "") {
			return fault.Field("group_by", "%q is not known; there are project, key, route, provider, model, surface, outcome, end_user, gateway and label:<name>", name)
		}
	}
	step := m.Interval.least()
	if step == 0 {
		return fault.Field("interval", "is not known")
	}
	if most := int64(maxCells / m.valuesOfPoint()); int64(m.To.Sub(m.From)/step) > most {
		return fault.Field("interval", "cuts the range into more than %d points, the most there can be for so many measures, series and periods", most)
	}
	return nil
}

// valuesOfPoint are those of all series at one point.
func (m Metrics) valuesOfPoint() int {
	values := len(m.Measures)
	if len(m.GroupBy) > 0 {
		values *= m.Top + 2
	}
	if m.ComparePrevious {
		values *= 2
	}
	return values
}

// previous is the period of the same length before.
func (m Metrics) previous() Metrics {
	before := m
	if m.Interval < Day {
		before.From, before.To = m.From.Add(-m.To.Sub(m.From)), m.From
		return before
	}
	from, to := m.From.In(m.zone), m.To.In(m.zone)
	months, days := monthsBetween(from, to), 0
	if m.Interval != Month || months == 0 {
		months, days = 0, daysBetween(from, to)
	}
	before.From, before.To = from.AddDate(0, -months, -days), to.AddDate(0, -months, -days)
	return before
}
