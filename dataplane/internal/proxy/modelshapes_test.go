package proxy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// listed asks for models.
func (h *harness) listed(path string, headers ...string) (status int, body map[string]any) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.agent.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &body); err != nil {
		h.t.Fatalf("%q: %v", text, err)
	}
	return response.StatusCode, body
}

// namesIn are those of a list of models.
func namesIn(list any, field string) []string {
	var names []string
	models, _ := list.([]any)
	for _, m := range models {
		name, _ := m.(map[string]any)[field].(string)
		names = append(names, name)
	}
	return names
}

// routes of the harness that the good key may use, in order.
var routes = []string{"bare", "chat", "dead", "dear", "elsewhere", "odd", "routed", "tuned"}

func TestModelsInAnthropicsShape(t *testing.T) {
	h := google(t, toSonnet)
	page := func(query string) map[string]any {
		t.Helper()
		status, body := h.listed("/v1/models"+query, "X-Api-Key", goodKey, "Anthropic-Version", "2023-06-01")
		if status != 200 {
			t.Fatal(body)
		}
		return body
	}
	for query, want := range map[string]struct {
		names []string
		more  bool
	}{
		"":                            {routes, false},
		"?limit=3":                    {routes[:3], true},
		"?limit=3&after_id=dead":      {routes[3:6], true},
		"?limit=3&after_id=elsewhere": {routes[5:], false},
		"?limit=2&before_id=dead":     {routes[:2], false},
		"?limit=2&before_id=dear":     {routes[1:3], true},
		"?before_id=bare":             {nil, false},
		"?after_id=tuned":             {nil, false},
	} {
		got := page(query)
		var first, last any
		if len(want.names) > 0 {
			first, last = want.names[0], want.names[len(want.names)-1]
		}
		if diff := cmp.Diff(want.names, namesIn(got["data"], "id")); diff != "" || got["has_more"] != want.more || got["first_id"] != first || got["last_id"] != last {
			t.Errorf("%s: %v\n%s", query, got, diff)
		}
	}
	_, one := h.listed("/v1/models/routed", "X-Api-Key", goodKey, "Anthropic-Version", "2023-06-01")
	if one["type"] != "model" || one["id"] != "routed" || one["display_name"] != "routed" || one["created_at"] == "" {
		t.Error(one)
	}
	for query, status := range map[string]int{"?limit=0": 400, "?limit=1001": 400, "?limit=a": 400, "?after_id=none": 400, "?after_id=chat&before_id=odd": 400, "/none": 404} {
		got, body := h.listed("/v1/models"+query, "X-Api-Key", goodKey, "Anthropic-Version", "2023-06-01")
		if inner, _ := body["error"].(map[string]any); got != status || body["type"] != "error" || inner["type"] == nil {
			t.Errorf("%s: %d %v", query, got, body)
		}
	}
	if _, body := h.listed("/v1/models", "Authorization", "Bearer "+goodKey); body["object"] != "list" {
		t.Errorf("without a version: %v", body)
	}
}

func TestModelsInGooglesShape(t *testing.T) {
	h := google(t, toFlash)
	for _, path := range []string{"/v1beta/models", "/v1/models"} {
		var got []string
		token, pages := "", 0
		for ; pages == 0 || token != ""; pages++ {
			status, body := h.listed(path+"?pageSize=3&pageToken="+token, "X-Goog-Api-Key", goodKey)
			if status != 200 {
				t.Fatal(body)
			}
			got = append(got, namesIn(body["models"], "name")...)
			token, _ = body["nextPageToken"].(string)
		}
		var want []string
		for _, route := range routes {
			want = append(want, "models/"+route)
		}
		if diff := cmp.Diff(want, got); diff != "" || pages != 3 {
			t.Errorf("%d pages of %s\n%s", pages, path, diff)
		}
	}
	for route, want := range map[string][]any{
		"routed": {"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"},
		"chat":   {"generateContent", "streamGenerateContent"},
	} {
		_, body := h.listed("/v1beta/models/"+route, "X-Goog-Api-Key", goodKey)
		if diff := cmp.Diff(map[string]any{"name": "models/" + route, "displayName": route, "supportedGenerationMethods": want}, body); diff != "" {
			t.Error(diff)
		}
	}
	for path, status := range map[string]int{"?pageSize=0": 400, "?pageToken=%2B": 400, "/none": 404} {
		got, body := h.listed("/v1beta/models"+path, "X-Goog-Api-Key", goodKey)
		if inner, _ := body["error"].(map[string]any); got != status || inner["status"] == nil {
			t.Errorf("%s: %d %v", path, got, body)
		}
	}
	h.extra[1] = resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "a:countTokens", Strategy: priority, Targets: toFlash})
	h.holder.Store(h.policy(h.upstream.URL))
	if status, body := h.listed("/v1/models/a:countTokens", "X-Goog-Api-Key", goodKey); status != 200 {
		t.Error(body)
	}
}
