package proxy

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

type modelList struct {
	Object string  `json:"object"`
	Data   []model `json:"data"`
}

// models answers with the routes that the key may use, as models. Nothing goes
// upstream and nothing is used, so an answer has no usage record; a refusal has.
func (e *exchange) models() {
	e.list(strings.TrimPrefix(e.r.URL.Path, pathModels), func(route *snapshot.Route) any { return e.model(route) },
		func(routes []*snapshot.Route) (any, *dialect.Refusal) {
			list := modelList{Object: "list", Data: []model{}}
			for _, route := range routes {
				list.Data = append(list.Data, e.model(route))
			}
			return list, nil
		})
}

// list writes all routes, or the one that is named below.
func (e *exchange) list(below string, one func(*snapshot.Route) any, all func([]*snapshot.Route) (any, *dialect.Refusal)) {
	refusal := e.authenticate()
	if refusal != nil {
		e.refuse(refusal)
		return
	}
	var value any
	if name := strings.TrimPrefix(below, "/"); name == "" {
		value, refusal = all(e.usableRoutes())
	} else {
		var route *snapshot.Route
		if route, refusal = e.usableRoute(name); refusal == nil {
			value = one(route)
		}
	}
	if refusal != nil {
		e.refuse(refusal)
		return
	}
	e.writeJSON(value)
}

func (e *exchange) usableRoutes() []*snapshot.Route {
	var routes []*snapshot.Route
	for _, route := range e.policy.Routes() {
		if e.key.May(route) && route.Unserved == "" {
			routes = append(routes, route)
		}
	}
	return routes
}

func (e *exchange) usableRoute(name string) (*snapshot.Route, *dialect.Refusal) {
	route := e.find(name)
	switch {
	case route == nil:
		return nil, routeUnknown(name)
	case !e.key.May(route):
		return nil, routeNotAllowed
	case route.Unserved != "":
		return nil, routeNotServed(route)
	}
	return route, nil
}

func (e *exchange) model(route *snapshot.Route) model {
	return model{ID: route.Name, Object: "model", Created: e.policy.CompiledAt().Unix(), OwnedBy: "weir"}
}

func (e *exchange) writeJSON(value any) {
	text, err := json.Marshal(value)
	if err != nil {
		e.refuse(&dialect.Refusal{Status: http.StatusInternalServerError, Code: "internal", Message: "The answer could not be written."})
		return
	}
	e.record.Status = http.StatusOK
	e.w.Header().Set("Content-Type", "application/json")
	_, _ = e.w.Write(append(text, '\n')) // a caller that is gone misses nothing
}
