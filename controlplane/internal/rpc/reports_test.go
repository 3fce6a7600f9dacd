package rpc_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/report"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// analysts is an installation with usage of two tenants: 20 requests each, whose model
// is the tenant's name.
type analysts struct {
	*installation
	a, b  *tenant
	admin driver.Conn
}

func installAnalysts(t *testing.T) *analysts {
	t.Helper()
	server := chtest.Shared(t)
	in := &installation{t: t, usage: reportsOf(t, server)}
	in.start(rpc.AdminConfig{})
	out := &analysts{installation: in, a: in.tenant("alpha"), b: in.tenant("beta"), admin: server.Admin(t)}
	for _, n := range []*tenant{out.a, out.b} {
		out.insert(n, 20, "now64(6) - INTERVAL 1 MINUTE")
	}
	return out
}

func reportsOf(t *testing.T, server *chtest.Server) *report.Reports {
	t.Helper()
	r, err := report.Open(server.ReportURL, chtest.Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// insert stores requests of a tenant.
func (s *analysts) insert(n *tenant, count int, at string) {
	s.t.Helper()
	err := s.admin.Exec(s.t.Context(), fmt.Sprintf(`INSERT INTO usage_event (organization_id, request_id, started_at, surface, route, model, outcome, duration_us, cost_usd, priced_cost_usd, lease_until)
		SELECT '%s', generateUUIDv4(), %s, 'openai_chat', 'fast', '%s', 'ok', 1000, 0.5, 0.5, now() + 10 FROM numbers(%d)`, n.organization.Id, at, n.organization.Name, count))
	if err != nil {
		s.t.Fatal(err)
	}
}

// signed is a request with the tenant's token: streams pass no interceptor of unary calls.
func (n *tenant) signed(request *adminv1.StreamQueryRequest) *connect.Request[adminv1.StreamQueryRequest] {
	r := connect.NewRequest(request)
	r.Header().Set("Authorization", "Bearer "+n.token)
	return r
}

func TestStreamQuery(t *testing.T) {
	s := installAnalysts(t)
	for name, options := range map[string][]connect.ClientOption{"connect": nil, "grpc": {connect.WithGRPC()}, "grpc_web": {connect.WithGRPCWeb()}} {
		t.Run(name, func(t *testing.T) {
			stream, err := s.speaking(s.b, options...).reports.StreamQuery(t.Context(), s.b.signed(&adminv1.StreamQueryRequest{Sql: "SELECT model FROM requests ORDER BY model"}))
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			rows := 0
			for stream.Receive() {
				switch m := stream.Msg().Message.(type) {
				case *adminv1.StreamQueryResponse_Columns:
					kinds = append(kinds, "columns "+m.Columns.Columns[0].Name)
				case *adminv1.StreamQueryResponse_Rows:
					kinds = append(kinds, "rows")
					for _, r := range m.Rows.Rows {
						same(t, r.Values[0].GetStringValue(), "beta")
						rows++
					}
				case *adminv1.StreamQueryResponse_Trailer:
					kinds = append(kinds, fmt.Sprint("trailer ", m.Trailer.RowCount))
				}
			}
			if stream.Err() != nil || rows != 20 || strings.Join(kinds, ", ") != "columns model, rows, trailer 20" {
				t.Errorf("%d rows in %s, %v", rows, kinds, stream.Err())
			}
		})
	}
	t.Run("a_part_ends_in_an_error", func(t *testing.T) {
		stream, err := s.a.reports.StreamQuery(t.Context(), s.a.signed(&adminv1.StreamQueryRequest{Sql: "SELECT throwIf(number = 400000), repeat('x', 20) FROM numbers(1000000)"}))
		if err != nil {
			t.Fatal(err)
		}
		messages := 0
		for stream.Receive() {
			messages++
		}
		if messages < 2 || connect.CodeOf(stream.Err()) != connect.CodeInvalidArgument {
			t.Errorf("%d messages, then %v", messages, stream.Err())
		}
	})
	t.Run("nobody_who_may_not", func(t *testing.T) {
		viewer := call(t, s.a.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: s.a.account.Id, Name: "v"}).Secret
		request := connect.NewRequest(&adminv1.StreamQueryRequest{Sql: "SELECT 1"})
		request.Header().Set("Authorization", "Bearer "+viewer)
		stream, err := s.a.reports.StreamQuery(t.Context(), request)
		if err != nil || stream.Receive() {
			t.Fatal("want an error", err)
		}
		same(t, connect.CodeOf(stream.Err()), connect.CodePermissionDenied)
	})
}

// Whoever does not read is cut off, and holds no place.
func TestStreamQuery_stalled(t *testing.T) {
	server := chtest.Shared(t)
	usage := reportsOf(t, server)
	db := &installation{t: t}
	a := &lateAuthenticator{}
	db.start(rpc.AdminConfig{Report: rpc.Stalling(rpc.NewReports(usage, a, nil), time.Second)})
	a.Authenticator = authn.NewAuthenticator(authn.AuthenticatorConfig{
		Tokens: db.tokens, Sessions: identity.NewSessions(db.db), OperatorTokens: [][32]byte{token.Hash(operatorToken)}, PublicURL: "http://console.example",
	})
	n := db.tenant("alpha")
	for name, options := range map[string][]connect.ClientOption{"connect": nil, "grpc": {connect.WithGRPC()}} {
		t.Run(name, func(t *testing.T) {
			stream, err := db.speaking(n, append(options, connect.WithAcceptCompression("gzip", nil, nil))...).reports.StreamQuery(t.Context(),
				n.signed(&adminv1.StreamQueryRequest{Sql: "SELECT repeat('x', 20), sipHash64(number) FROM numbers(9000000)"}))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			same(t, stream.Receive(), true)
			before := time.Now()
			for !strings.Contains(db.logs.String(), "resource_exhausted") {
				if time.Since(before) > 15*time.Second {
					t.Fatal("it is not cut off: ", db.logs.String())
				}
				time.Sleep(50 * time.Millisecond)
			}
			for stream.Receive() {
				if stream.Msg().GetTrailer() != nil {
					t.Error("a part has a trailer")
				}
			}
			if stream.Err() == nil {
				t.Error("the rest looks whole")
			}
			t.Logf("it sees %v", stream.Err())
		})
		db.logs.mu.Lock()
		db.logs.text.Reset()
		db.logs.mu.Unlock()
	}
}

// lateAuthenticator is there before what it stands on.
type lateAuthenticator struct{ rpc.Authenticator }

func (s *analysts) csv(n *tenant, query url.Values) (*http.Response, []byte, error) {
	s.t.Helper()
	return s.link(n, query.Encode())
}

// link is followed as it stands.
func (s *analysts) link(n *tenant, query string) (*http.Response, []byte, error) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+rpc.QueryCSVPath+"?"+query, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if n != nil {
		request.Header.Set("Authorization", "Bearer "+n.token)
	}
	answer, err := s.server.Client().Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

func TestQueryCSV(t *testing.T) {
	s := installAnalysts(t)
	t.Run("is_a_file", func(t *testing.T) {
		answer, body, err := s.csv(s.b, url.Values{"sql": {"SELECT model, {n:Int64} AS n FROM requests"}, "param_n": {"-7"}})
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer.StatusCode, string(body), err)
		}
		lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil || len(lines) != 21 || strings.Join(lines[0], ",") != "model,n" || strings.Join(lines[20], ",") != "beta,-7" {
			t.Errorf("%d lines: %s, %v", len(lines), body, err)
		}
		same(t, answer.Trailer.Get("X-Weir-Row-Count"), "20")
		same(t, answer.Header.Get("Cache-Control"), "no-store")
		if got := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="query-`) {
			t.Error(got)
		}
	})
	t.Run("of_a_saved_report", func(t *testing.T) {
		answer, body, err := s.csv(s.b, url.Values{"report": {s.b.report.Id}})
		if err != nil || string(body) != "1\r\n1\r\n" || !strings.Contains(answer.Header.Get("Content-Disposition"), `filename="spend-`) {
			t.Errorf("%q, %v, %v", body, answer.Header, err)
		}
		answer, body, _ = s.csv(s.b, url.Values{"report": {s.a.report.Id}})
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("another organization's: %d %s", answer.StatusCode, body)
		}
	})
	t.Run("without_rows_has_its_names", func(t *testing.T) {
		_, body, err := s.csv(s.b, url.Values{"sql": {"SELECT model, route FROM requests WHERE false"}})
		if err != nil || string(body) != "model,route\r\n" {
			t.Errorf("%q, %v", body, err)
		}
	})
	t.Run("a_part_does_not_look_whole", func(t *testing.T) {
		answer, body, err := s.csv(s.b, url.Values{"sql": {"SELECT throwIf(number = 400000), repeat('x', 20) AS x FROM numbers(1000000)"}})
		if answer.StatusCode != http.StatusOK || !errors.Is(err, io.ErrUnexpectedEOF) || answer.Trailer.Get("X-Weir-Row-Count") != "" {
			t.Errorf("%d, %v, %v", answer.StatusCode, err, answer.Trailer)
		}
		lines := strings.Split(strings.TrimSpace(string(body)), "\r\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "weir: this file is not complete,") {
			t.Errorf("the last line is %q", last)
		}
	})
	t.Run("refuses_in_words", func(t *testing.T) {
		for _, c := range []struct {
			as     *tenant
			query  url.Values
			status int
			want   string
		}{
			{nil, url.Values{"sql": {"SELECT 1"}}, http.StatusUnauthorized, "log in"},
			{s.b, url.Values{}, http.StatusBadRequest, "either sql"},
			{s.b, url.Values{"sql": {"SELECT 1"}, "report": {s.b.report.Id}}, http.StatusBadRequest, "either sql"},
			{s.b, url.Values{"sql": {"SELECT 1", "SELECT 2"}}, http.StatusBadRequest, "2 times"},
			{s.b, url.Values{"sql": {"SELECT 1"}, "format": {"xlsx"}}, http.StatusBadRequest, "param_"},
			{s.b, url.Values{"sql": {"SELECT 1"}, "raw": {"perhaps"}}, http.StatusBadRequest, "true or false"},
			{s.b, url.Values{"sql": {"DROP TABLE x"}}, http.StatusBadRequest, "SELECT"},
			{s.b, url.Values{"sql": {"SELECT nonsense FROM requests"}}, http.StatusBadRequest, "nonsense"},
			{s.b, url.Values{"sql": {"SELECT 1"}, "time_zone": {"Nowhere"}}, http.StatusBadRequest, "IANA"},
		} {
			answer, body, err := s.csv(c.as, c.query)
			if err != nil || answer.StatusCode != c.status || !strings.Contains(string(body), c.want) || answer.Header.Get("Content-Disposition") != "" {
				t.Errorf("%v: %d %s, %v", c.query, answer.StatusCode, body, err)
			}
		}
	})
	t.Run("no_part_of_a_link_is_left_out", func(t *testing.T) {
		for _, query := range []string{"sql=SELECT+now()&time_zone=Europe/Berlin;", "sql=SELECT+1;&raw=true", "sql=SELECT+1&raw=%zz"} {
			answer, body, err := s.link(s.b, query)
			if err != nil || answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "%3B") {
				t.Errorf("%s: %d %s, %v", query, answer.StatusCode, body, err)
			}
		}
	})
}

// A tail tells what comes, each once, late rows too, and nothing of others; it ends with
// its caller's token.
func TestTailRequests(t *testing.T) {
	s := installAnalysts(t)
	made := call(t, s.b.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: s.b.account.Id, Name: "tail"})
	request := connect.NewRequest(&adminv1.TailRequestsRequest{Filter: "model = beta"})
	request.Header().Set("Authorization", "Bearer "+made.Secret)
	stream, err := s.as("").reports.TailRequests(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	if !stream.Receive() || stream.Msg().GetHeartbeat() == nil {
		t.Fatal("it does not begin with a heartbeat", stream.Err())
	}
	want := 0
	for i, at := range []string{"now64(6)", "now64(6) - INTERVAL 3 HOUR", "now64(6) - INTERVAL 40 DAY", "now64(6) + INTERVAL 1 HOUR"} {
		s.insert(s.b, 2+i, at)
		s.insert(s.a, 5, at)
		want += 2 + i
	}
	seen, beats := map[string]int{}, 0
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && (len(seen) < want || beats < 3) && stream.Receive(); {
		if r := stream.Msg().GetRequest(); r != nil {
			seen[r.RequestId]++
			same(t, r.Model, "beta")
		} else {
			beats++
		}
	}
	if len(seen) != want {
		t.Errorf("%d requests, want %d; %v", len(seen), want, stream.Err())
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s comes %d times", id, times)
		}
	}
	call(t, s.b.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: made.Token.Id})
	for stream.Receive() {
	}
	same(t, connect.CodeOf(stream.Err()), connect.CodeUnauthenticated)
}

func TestQueryMetrics(t *testing.T) {
	s := installAnalysts(t)
	got := call(t, s.b.reports.QueryMetrics, &adminv1.QueryMetricsRequest{
		Measures: []adminv1.Measure{adminv1.Measure_MEASURE_SPEND, adminv1.Measure_MEASURE_TIME_TO_FIRST_TOKEN_P95}, GroupBy: []string{"model"}, ComparePrevious: true,
	})
	same(t, len(got.Series), 1)
	same(t, got.Series[0].Group[0], "beta")
	same(t, got.Series[0].Totals[0].GetValue(), int64(10_000_000_000))
	same(t, got.Total.GetSharePpm(), int32(1_000_000))
	if got.Total.Totals[1].Value != nil || len(got.Starts) < 24 || len(got.Total.Points) != len(got.Starts) || got.PreviousFrom == nil {
		t.Errorf("got %v", got)
	}
}
