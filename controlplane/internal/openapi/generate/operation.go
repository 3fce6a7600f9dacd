package main

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weirhq/weir/controlplane/internal/authz"
)

type pathItem struct {
	Get  *operation `json:"get,omitempty"`
	Post *operation `json:"post,omitempty"`
}

type operation struct {
	OperationID string                 `json:"operationId"`
	Tags        []string               `json:"tags"`
	Description string                 `json:"description,omitempty"`
	Permission  string                 `json:"x-weir-permission,omitempty"`
	Security    *[]map[string][]string `json:"security,omitempty"`
	Parameters  []parameter            `json:"parameters,omitempty"`
	RequestBody *body                  `json:"requestBody,omitempty"`
	Responses   map[string]response    `json:"responses"`
}

type body struct {
	Required bool                 `json:"required"`
	Content  map[string]mediaType `json:"content"`
}

type mediaType struct {
	Schema *schema `json:"schema"`
}

type parameter struct {
	Ref         string               `json:"$ref,omitempty"`
	Name        string               `json:"name,omitempty"`
	In          string               `json:"in,omitempty"`
	Required    bool                 `json:"required,omitempty"`
	Description string               `json:"description,omitempty"`
	Schema      *schema              `json:"schema,omitempty"`
	Content     map[string]mediaType `json:"content,omitempty"`
}

type response struct {
	Ref         string               `json:"$ref,omitempty"`
	Description string               `json:"description,omitempty"`
	Headers     map[string]header    `json:"headers,omitempty"`
	Content     map[string]mediaType `json:"content,omitempty"`
}

type header struct {
	Description string  `json:"description"`
	Schema      *schema `json:"schema"`
}

// parameters that every RPC has.
var parameters = map[string]parameter{
	"RequestId": {
		Name: "X-Request-Id", In: "header", Schema: &schema{Type: "string", MaxLength: new(uint64(128))},
		Description: "Names this request in the answer, the log and internal errors; without one the server makes it.",
	},
	"Timeout": {
		Name: "Connect-Timeout-Ms", In: "header", Schema: &schema{Type: "string", Pattern: "^[0-9]{1,10}$"},
		Description: "How long the caller waits, in milliseconds.",
	},
}

var everywhere = []parameter{{Ref: "#/components/parameters/RequestId"}, {Ref: "#/components/parameters/Timeout"}}

// newPathItem is a POST and, where nothing changes, a GET.
func newPathItem(method protoreflect.MethodDescriptor, s *schemas) (pathItem, error) {
	asked, err := s.message(method.Input(), false)
	if err != nil {
		return pathItem{}, err
	}
	answered, err := s.message(method.Output(), false)
	if err != nil {
		return pathItem{}, err
	}
	post := newOperation(method, answered)
	post.RequestBody = &body{true, inJSON(asked)}
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	if options.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
		return pathItem{Post: post}, nil
	}
	get := newOperation(method, answered)
	get.OperationID += "_get"
	get.Parameters = append([]parameter{
		{Name: "encoding", In: "query", Required: true, Schema: &schema{Type: "string", Enum: []string{"json"}}},
		{Name: "message", In: "query", Required: true, Description: "The request, as JSON.", Content: inJSON(asked)},
	}, everywhere...)
	return pathItem{Get: get, Post: post}, nil
}

func newOperation(method protoreflect.MethodDescriptor, answered *schema) *operation {
	service := string(method.Parent().Name())
	o := &operation{
		OperationID: service + "_" + string(method.Name()), Tags: []string{service}, Description: comment(method),
		Permission: authz.Of(method), Parameters: everywhere,
		Responses: map[string]response{
			"200":     {Description: "Done.", Content: inJSON(answered)},
			"default": {Ref: "#/components/responses/Error"},
		},
	}
	if o.Permission == authz.Public {
		o.Security = noLogin
	}
	return o
}

var noLogin = &[]map[string][]string{}

func inJSON(s *schema) map[string]mediaType {
	return map[string]mediaType{"application/json": {Schema: s}}
}
