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
	if refusal := e.authenticate(); refusal != nil {
		e.refuse(refusal)
		return
	}
	name := strings.TrimPrefix(strings.TrimPrefix(e.r.URL.Path, pathModels), "/")
	if name == "" {
		list := modelList{Object: "list", Data: []model{}}
		for _, route := range e.policy.Routes() {
			if e.key.May(route) && route.Unserved == "" {
				list.Data = append(list.Data, e.model(route))
			}
		}
		e.writeJSON(list)
		return
	}
	route := e.find(name)
	switch {
	case route == nil:
		e.refuse(routeUnknown(name))
	case !e.key.May(route):
		e.refuse(routeNotAllowed)
	case route.Unserved != "":
		e.refuse(routeNotServed(route))
	default:
		e.writeJSON(e.model(route))
	}
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
