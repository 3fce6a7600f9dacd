package proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// many is metadata of so many names, each value of so many bytes.
func many(names, size int) string {
	all := map[string]string{}
	for _, name := range manyNames(names) {
		all[name] = strings.Repeat("v", size)
	}
	text, _ := json.Marshal(all)
	return string(text)
}

func manyNames(count int) (names []string) {
	for i := range count {
		names = append(names, fmt.Sprintf("%s%02d", strings.Repeat("n", 62), i))
	}
	return names
}

func TestWhatCallersSay(t *testing.T) {
	for name, test := range map[string]struct {
		headers []string
		want    *usagev1.UsageRecord // what it says
	}{
		"nothing": {nil, &usagev1.UsageRecord{}},
		"all": {[]string{"X-Weir-User", "jürgen@example.org", "X-Weir-Run", "run:7", "X-Weir-Metadata", `{"team":"search", "cost.center":"a/b c"}`},
			&usagev1.UsageRecord{EndUser: hasher.Of("jürgen@example.org"), RunId: "run:7",
				Labels: []*usagev1.Label{{Name: "team", Value: "search"}, {Name: "cost.center", Value: "a/b c"}}}},
		"longest":          {[]string{"X-Weir-User", strings.Repeat("u", 128), "X-Weir-Run", strings.Repeat("r", 128)}, &usagev1.UsageRecord{EndUser: hasher.Of(strings.Repeat("u", 128)), RunId: strings.Repeat("r", 128)}},
		"escaped":          {[]string{"X-Weir-Metadata", `{"a":"\u00e4\ud83d\ude00"}`}, &usagev1.UsageRecord{Labels: []*usagev1.Label{{Name: "a", Value: "ä😀"}}}},
		"empty":            {[]string{"X-Weir-User", "", "X-Weir-Metadata", "", "X-Weir-Route", "", "X-Weir-Cache", ""}, &usagev1.UsageRecord{}},
		"no_labels":        {[]string{"X-Weir-Metadata", "{}"}, &usagev1.UsageRecord{}},
		"cache_hints":      {[]string{"X-Weir-Cache", "no-store, No-Cache"}, &usagev1.UsageRecord{}},
		"a_header_to_come": {[]string{"X-Weir-Tomorrow", "\x80"}, &usagev1.UsageRecord{}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			response, text := h.post(goodKey, question+`}`, test.headers...)
			if response.StatusCode != 200 {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			started, ended := h.record()
			for _, r := range []*usagev1.UsageRecord{started, ended} {
				wantSaid(t, r, test.want)
			}
			for name := range response.Header {
				if strings.HasSuffix(name, "-Dropped") {
					t.Errorf("%s: %s", name, response.Header.Get(name))
				}
			}
			for name := range h.mock.Requests()[0].Header {
				if strings.HasPrefix(name, "X-Weir-") {
					t.Errorf("upstream got %s", name)
				}
			}
			for _, value := range append(test.headers, "search") {
				if value != "" && !strings.HasPrefix(value, "X-") && strings.Contains(h.log.String(), value) {
					t.Errorf("%q is in the log", value)
				}
			}
		})
	}
}

func wantSaid(t *testing.T, r, want *usagev1.UsageRecord) {
	t.Helper()
	got := &usagev1.UsageRecord{EndUser: r.EndUser, RunId: r.RunId, Labels: r.Labels}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestMostLabels(t *testing.T) {
	h := newHarness(t)
	if response, text := h.post(goodKey, question+`}`, "X-Weir-Metadata", many(16, 256)); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	if _, ended := h.record(); len(ended.Labels) != 16 || len(ended.Labels[15].Value) != 256 {
		t.Errorf("recorded %v", ended.Labels)
	}
}

func TestHeadersThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct{ header, value string }{
		"user_too_long":         {"X-Weir-User", strings.Repeat("u", 129)},
		"user_not_utf8":         {"X-Weir-User", "a\xff"},
		"user_with_a_tab":       {"X-Weir-User", "a\tb"},
		"user_reversed":         {"X-Weir-User", "a\u202eb"},
		"run_too_long":          {"X-Weir-Run", strings.Repeat("r", 129)},
		"route_too_long":        {"X-Weir-Route", strings.Repeat("r", 257)},
		"no_json":               {"X-Weir-Metadata", "team=search"},
		"an_array":              {"X-Weir-Metadata", `["a"]`},
		"not_whole":             {"X-Weir-Metadata", `{"a":"b"`},
		"more_behind":           {"X-Weir-Metadata", `{"a":"b"}{}`},
		"a_number":              {"X-Weir-Metadata", `{"a":1}`},
		"null":                  {"X-Weir-Metadata", `{"a":null}`},
		"an_object":             {"X-Weir-Metadata", `{"a":{"b":"c"}}`},
		"twice":                 {"X-Weir-Metadata", `{"a":"b","\u0061":"c"}`},
		"seventeen":             {"X-Weir-Metadata", many(17, 1)},
		"name_empty":            {"X-Weir-Metadata", `{"":"b"}`},
		"name_too_long":         {"X-Weir-Metadata", `{"` + strings.Repeat("n", 65) + `":"b"}`},
		"name_of_other_letters": {"X-Weir-Metadata", `{"ä":"b"}`},
		"value_too_long":        {"X-Weir-Metadata", many(1, 257)},
		"value_of_two_lines":    {"X-Weir-Metadata", `{"a":"b\nc"}`},
		"value_half_a_letter":   {"X-Weir-Metadata", `{"a":"\ud83d"}`},
		"value_not_utf8":        {"X-Weir-Metadata", "{\"a\":\"\xff\"}"},
		"huge":                  {"X-Weir-Metadata", `{"a":"` + strings.Repeat("v", 33<<10) + `"}`},
		"deep":                  {"X-Weir-Metadata", strings.Repeat(`{"a":`, 5000)},
		"a_cache_to_be":         {"X-Weir-Cache", "max-age=60"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			response, text := h.post(goodKey, question+`}`, test.header, test.value, "X-Weir-Run", runBeside(test.header, test.value))
			wantError(t, response, text, http.StatusBadRequest, "invalid_header")
			if !strings.Contains(text, test.header) || !strings.Contains(text, `"param":"`+strings.ToLower(test.header)+`"`) {
				t.Errorf("told %s", text)
			}
			<-h.done
			if len(h.mock.Requests()) != 0 || len(h.recorder.refused) != 1 {
				t.Fatalf("%d upstream, %d records", len(h.mock.Requests()), len(h.recorder.refused))
			}
			want := &usagev1.UsageRecord{RunId: "run-1"}
			if test.header == "X-Weir-Run" {
				want.RunId = ""
			}
			wantSaid(t, h.recorder.refused[0], want)
		})
	}
}

// runBeside is a header that is right, unless the one of the test has its name.
func runBeside(header, value string) string {
	if header == "X-Weir-Run" {
		return value
	}
	return "run-1"
}

// TestWrongHeadersInEveryDialect: callers get the error's shape that they know.
func TestWrongHeadersInEveryDialect(t *testing.T) {
	h := google(t, toFlash)
	for path, want := range map[string]string{
		"/v1/chat/completions": `"code":"invalid_header"`, "/v1/messages": `"type":"invalid_request_error"`,
		geminiModels + "routed:generateContent": `"status":"INVALID_ARGUMENT"`,
	} {
		response, text, err := h.sendTo(t.Context(), path, goodKey, `{}`, "X-Weir-Run", "a\tb")
		if err != nil || response.StatusCode != 400 || !strings.Contains(text, want) || !strings.Contains(text, "X-Weir-Run") {
			t.Errorf("%s: %v %v %s", path, err, response, text)
		}
	}
}

func TestAHeaderTwice(t *testing.T) {
	h := newHarness(t)
	body := question + `}`
	h.connect(strings.Replace(head(goodKey, len(body)), "\r\n\r\n", "\r\nX-Weir-User: a\r\nx-weir-user: b\r\n\r\n", 1) + body)
	<-h.done
	if len(h.recorder.refused) != 1 || h.recorder.refused[0].ErrorCode != "invalid_header" || h.recorder.refused[0].EndUser != "" {
		t.Errorf("recorded %v", h.recorder.refused)
	}
}

// TestRefusalsSayTheCaller: also those of a key that is over, and of what nobody serves.
func TestRefusalsSayTheCaller(t *testing.T) {
	said := []string{"X-Weir-User", "u-1", "X-Weir-Run", "run-1", "X-Weir-Metadata", `{"a":"b"}`}
	for name, test := range map[string]struct{ key, path, body string }{
		"unknown_route": {goodKey, "/v1/chat/completions", `{"model":"nothing"}`},
		"no_json":       {goodKey, "/v1/chat/completions", `{`},
		"revoked":       {revokedKey, "/v1/chat/completions", question + `}`},
		"elsewhere":     {goodKey, "/v1/files", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			if _, _, err := h.sendTo(t.Context(), test.path, test.key, test.body, said...); err != nil {
				t.Fatal(err)
			}
			<-h.done
			wantSaid(t, h.recorder.refused[0], &usagev1.UsageRecord{EndUser: hasher.Of("u-1"), RunId: "run-1", Labels: []*usagev1.Label{{Name: "a", Value: "b"}}})
		})
	}
}

func TestARouteByHeader(t *testing.T) {
	for name, test := range map[string]struct {
		key, path, body, route string
		status                 int
		code, model            string // the code of the refusal, or the model asked for
	}{
		"instead_of_another": {goodKey, "/v1/chat/completions", toRoute("odd", ""), "chat", 200, "", "gpt-4o"},
		"no_route_in_model":  {goodKey, "/v1/chat/completions", toRoute("nothing", ""), "chat", 200, "", "gpt-4o"},
		"stream":             {goodKey, "/v1/chat/completions", toRoute("nothing", `,"stream":true`), "chat", 200, "", "gpt-4o"},
		"for_a_narrow_key":   {narrowKey, "/v1/chat/completions", toRoute("chat", ""), "odd", 200, "", "odd-model"},
		"not_for_the_key":    {narrowKey, "/v1/chat/completions", toRoute("odd", ""), "chat", 403, "route_not_allowed", ""},
		"unknown":            {goodKey, "/v1/chat/completions", toRoute("chat", ""), "nothing", 404, "route_unknown", ""},
		"not_served":         {goodKey, "/v1/chat/completions", toRoute("chat", ""), "abroad", 403, "route_not_served", ""},
		"without_a_model":    {goodKey, "/v1/chat/completions", `{"messages":[]}`, "chat", 400, "model_missing", ""},
		"in_the_path":        {goodKey, geminiModels + "nothing:generateContent", contents, "chat", 200, "", "gpt-4o"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			response, text, err := h.sendTo(t.Context(), test.path, test.key, test.body, "X-Weir-Route", test.route)
			if err != nil {
				t.Fatal(err)
			}
			if test.code != "" {
				wantError(t, response, text, test.status, test.code)
				return
			}
			if response.StatusCode != test.status || response.Header.Get("X-Weir-Route") != test.route {
				t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
			}
			if diff := cmp.Diff([]string{test.model}, h.asked()); diff != "" {
				t.Error(diff)
			}
			if _, ended := h.record(); ended.Route != test.route || ended.RouteId != "r-"+test.route {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}
