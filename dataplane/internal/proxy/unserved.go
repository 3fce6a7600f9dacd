package proxy

import (
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// Why parts of the providers' APIs are not served.
const (
	boundToAccount = ": the ids there belong to one account of one provider, and a route may lead to several"
	isSession      = ": a session is no request with an answer that ends"
	ofTheAccount   = ": it is about the account of a provider, which belongs to the gateway"
)

// unserved is a part of a provider's API that callers may look for: what is there, and why
// it is not served.
type unserved struct {
	path, what, why string
	dialect         dialect.Dialect
	refusal         *dialect.Refusal
}

// unservedParts are tried in their order.
var unservedParts = explained(
	&unserved{path: "/v1/responses/input_tokens", what: "the counting of input tokens"},
	&unserved{path: "/v1/responses/compact", what: "the compaction of responses"},
	&unserved{path: "/v1/responses", what: "stored responses", why: boundToAccount},
	&unserved{path: "/v1/conversations", what: "conversations", why: boundToAccount},
	&unserved{path: "/v1/chat/completions", what: "stored chat completions", why: boundToAccount},
	&unserved{path: "/v1/files", what: "files", why: boundToAccount},
	&unserved{path: "/v1/uploads", what: "uploads", why: boundToAccount},
	&unserved{path: "/v1/batches", what: "batches", why: boundToAccount},
	&unserved{path: "/v1/vector_stores", what: "vector stores", why: boundToAccount},
	&unserved{path: "/v1/assistants", what: "assistants", why: boundToAccount},
	&unserved{path: "/v1/threads", what: "threads", why: boundToAccount},
	&unserved{path: "/v1/containers", what: "containers", why: boundToAccount},
	&unserved{path: "/v1/videos", what: "videos", why: boundToAccount},
	&unserved{path: "/v1/evals", what: "evals", why: boundToAccount},
	&unserved{path: "/v1/skills", what: "skills", why: boundToAccount},
	&unserved{path: "/v1/chatkit", what: "ChatKit sessions", why: boundToAccount},
	&unserved{path: "/v1/audio/voices", what: "custom voices", why: boundToAccount},
	&unserved{path: "/v1/fine_tuning", what: "fine-tuning", why: boundToAccount},
	&unserved{path: "/v1/realtime", what: "realtime sessions", why: isSession},
	&unserved{path: "/v1/live", what: "live sessions", why: isSession},
	&unserved{path: "/v1/organization", what: "the administration of an organization", why: ofTheAccount},
	&unserved{path: "/v1/projects", what: "the administration of projects", why: ofTheAccount},
	&unserved{path: "/v1/messages/batches", what: "batches of messages", why: boundToAccount, dialect: anthropic.Messages{}},
	&unserved{path: "/v1/messages", what: "this path", dialect: anthropic.Messages{}},
	&unserved{path: "/v1beta/files", what: "files", why: boundToAccount, dialect: gemini.Generate{}},
	&unserved{path: "/v1beta/cachedContents", what: "cached contents", why: boundToAccount, dialect: gemini.Generate{}},
	&unserved{path: "/v1beta", what: "this path", dialect: gemini.Generate{}},
	&unserved{what: "this path"}, // every other one
)

// explained writes what callers are told.
func explained(parts ...*unserved) []*unserved {
	list := servedList()
	for _, part := range parts {
		if part.dialect == nil {
			part.dialect = openai.Chat{}
		}
		part.refusal = &dialect.Refusal{Status: http.StatusNotFound, Code: "unsupported_surface",
			Message: "This gateway does not serve " + part.what + part.why + ". It serves " + list + "."}
	}
	return parts
}

// servedList names every way in.
func servedList() string {
	var all []string
	for _, s := range surfaces {
		for _, path := range s.paths {
			all = append(all, s.method+" "+path)
		}
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " and " + all[last]
}

// unservedAt is what stands at a path of no surface, and below it.
func unservedAt(path string) *unserved {
	last := len(unservedParts) - 1
	for _, part := range unservedParts[:last] {
		if rest, there := strings.CutPrefix(path, part.path); there && (rest == "" || rest[0] == '/') {
			return part
		}
	}
	return unservedParts[last]
}

// refusalOf says what was meant, most likely, where that is served: SDKs join their paths to
// base URLs with or without a version.
func (u *unserved) refusalOf(path string) *dialect.Refusal {
	for _, meant := range []string{"/v1" + path, strings.TrimPrefix(path, "/v1"), strings.TrimPrefix(path, "/v1beta"), strings.TrimSuffix(path, "/")} {
		s := surfaceOf(meant)
		if meant == path || s.name == "" {
			continue
		}
		hint := *u.refusal
		hint.Message = "This gateway does not serve this path. Did you mean " + s.method + " " + meant + "? " +
			"OpenAI's SDKs want a base URL that ends in /v1, Anthropic's and Google's one without a version."
		return &hint
	}
	return u.refusal
}
