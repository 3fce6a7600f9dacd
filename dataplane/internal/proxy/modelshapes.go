package proxy

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// Lists of models in the dialects of callers who show that they speak them.
var (
	surfaceAnthropicModels = &surface{name: "models", method: http.MethodGet, dialect: anthropic.Messages{}, serve: (*exchange).anthropicModels}
	surfaceGoogleModels    = &surface{name: "models", method: http.MethodGet, paths: []string{googleModelsPath, googleModelsPath + "/{model}"},
		dialect: gemini.Generate{}, serve: (*exchange).googleModels}
)

// modelsShape is how a caller of GET /v1/models, where the dialects meet, wants to be told.
func modelsShape(header http.Header) *surface {
	switch {
	case header["Anthropic-Version"] != nil:
		return surfaceAnthropicModels
	case header["X-Goog-Api-Key"] != nil:
		return surfaceGoogleModels
	}
	return surfaceModels
}

// maxPage bounds pages of models in both dialects.
const maxPage = 1000

// Source: https://platform.claude.com/docs/en/api/models-list
type anthropicModel struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

type anthropicPage struct {
	Data    []anthropicModel `json:"data"`
	HasMore bool             `json:"has_more"`
	FirstID *string          `json:"first_id"`
	LastID  *string          `json:"last_id"`
}

func (e *exchange) anthropicModels() {
	one := func(route *snapshot.Route) anthropicModel {
		return anthropicModel{Type: "model", ID: route.Name, DisplayName: route.Name, CreatedAt: e.policy.CompiledAt().UTC().Format(time.RFC3339)}
	}
	e.list(strings.TrimPrefix(e.r.URL.Path, pathModels), func(route *snapshot.Route) any { return one(route) },
		func(routes []*snapshot.Route) (any, *dialect.Refusal) {
			some, more, refusal := anthropicSome(routes, e.r.URL.Query())
			if refusal != nil {
				return nil, refusal
			}
			page := anthropicPage{Data: []anthropicModel{}, HasMore: more}
			for _, route := range some {
				page.Data = append(page.Data, one(route))
			}
			if len(some) > 0 {
				page.FirstID, page.LastID = &some[0].Name, &some[len(some)-1].Name
			}
			return page, nil
		})
}

// anthropicSome is the page that a query asks for; more: there are others in its direction.
func anthropicSome(routes []*snapshot.Route, query url.Values) (some []*snapshot.Route, more bool, refusal *dialect.Refusal) {
	limit, refusal := pageSize(query, "limit", 20)
	if refusal != nil {
		return nil, false, refusal
	}
	after, before := query.Get("after_id"), query.Get("before_id")
	switch {
	case after != "" && before != "":
		return nil, false, badPage("before_id", "Only one of after_id and before_id can be said.")
	case before != "":
		at, refusal := placeOf(routes, before, "before_id")
		if refusal != nil {
			return nil, false, refusal
		}
		from := max(0, at-limit)
		return routes[from:at], from > 0, nil
	case after != "":
		at, refusal := placeOf(routes, after, "after_id")
		if refusal != nil {
			return nil, false, refusal
		}
		routes = routes[at+1:]
	}
	return routes[:min(limit, len(routes))], len(routes) > limit, nil
}

func placeOf(routes []*snapshot.Route, name, param string) (int, *dialect.Refusal) {
	at := slices.IndexFunc(routes, func(route *snapshot.Route) bool { return route.Name == name })
	if at < 0 {
		return 0, badPage(param, "It is the id of no model of this key.")
	}
	return at, nil
}

func pageSize(query url.Values, param string, usual int) (int, *dialect.Refusal) {
	text := query.Get(param)
	if text == "" {
		return usual, nil
	}
	size, err := strconv.Atoi(text)
	if err != nil || size < 1 || size > maxPage {
		return 0, badPage(param, "It is not a whole number from 1 to 1000.")
	}
	return size, nil
}

func badPage(param, message string) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: "invalid_request", Param: param, Message: message}
}

// Source: https://ai.google.dev/api/models
type googleModel struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Methods     []string `json:"supportedGenerationMethods"`
}

type googlePage struct {
	Models []googleModel `json:"models"`
	Next   string        `json:"nextPageToken,omitempty"`
}

func (e *exchange) googleModels() {
	_, below, _ := strings.Cut(e.r.URL.Path, gemini.Models)
	e.list(below, func(route *snapshot.Route) any { return toGoogleModel(route) },
		func(routes []*snapshot.Route) (any, *dialect.Refusal) { return googleSome(routes, e.r.URL.Query()) })
}

// googleSome is the page that a query asks for. A token is the name that the page before
// ended with: routes come by name.
func googleSome(routes []*snapshot.Route, query url.Values) (any, *dialect.Refusal) {
	size, refusal := pageSize(query, "pageSize", 50)
	if refusal != nil {
		return nil, refusal
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("pageToken"))
	if err != nil {
		return nil, badPage("pageToken", "It is the token of no page.")
	}
	page := googlePage{Models: []googleModel{}}
	for _, route := range routes {
		switch {
		case len(after) > 0 && route.Name <= string(after):
		case len(page.Models) == size:
			last := strings.TrimPrefix(page.Models[size-1].Name, "models/")
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
			return page, nil
		default:
			page.Models = append(page.Models, toGoogleModel(route))
		}
	}
	return page, nil
}

// toGoogleModel names the methods that a target of the route serves.
func toGoogleModel(route *snapshot.Route) googleModel {
	m := googleModel{Name: "models/" + route.Name, DisplayName: route.Name, Methods: []string{}}
	for _, method := range []struct {
		name    string
		surface *surface
	}{
		{gemini.MethodGenerate, surfaceGenerate}, {gemini.MethodStream, surfaceGenerateStream}, {gemini.MethodCountTokens, surfaceCountContents},
		{gemini.MethodEmbed, surfaceEmbed}, {gemini.MethodEmbedBatch, surfaceEmbedBatch},
	} {
		if slices.ContainsFunc(route.Targets, method.surface.reaches) {
			m.Methods = append(m.Methods, method.name)
		}
	}
	return m
}
