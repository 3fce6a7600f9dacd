package openapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/openapi"
	"github.com/weirhq/weir/controlplane/internal/openapi/openapitest"
	_ "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

type operation struct {
	OperationID string                 `json:"operationId"`
	Permission  string                 `json:"x-weir-permission"`
	Security    *[]map[string][]string `json:"security"`
}

func TestDocument(t *testing.T) {
	openapitest.Valid(t)
	openapitest.Compile(t)
	var document struct {
		Info  struct{ Description string }
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(openapi.Document(), &document); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for path, item := range document.Paths {
		for verb, o := range item {
			if other, ok := seen[o.OperationID]; ok {
				t.Errorf("%s of %s %s is the id of %s, too", o.OperationID, verb, path, other)
			}
			seen[o.OperationID] = path
		}
	}
	for _, method := range everyMethod() {
		path := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			if method.IsStreamingServer() || method.IsStreamingClient() {
				if !strings.Contains(document.Info.Description, string(method.FullName())) {
					t.Error("it is not named among the streams")
				}
				return
			}
			post, ok := document.Paths[path]["post"]
			if !ok || post.Permission != authz.Of(method) {
				t.Errorf("got %+v, want permission %s", post, authz.Of(method))
			}
			if public := post.Security != nil && len(*post.Security) == 0; public != (authz.Of(method) == authz.Public) {
				t.Errorf("got security %v for permission %s", post.Security, authz.Of(method))
			}
			options, _ := method.Options().(*descriptorpb.MethodOptions)
			reads := options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
			if _, ok := document.Paths[path]["get"]; ok != reads {
				t.Errorf("GET is there: %t, want %t", ok, reads)
			}
		})
	}
}

func everyMethod() (all []protoreflect.MethodDescriptor) {
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				all = append(all, file.Services().Get(i).Methods().Get(j))
			}
		}
		return true
	})
	return all
}

func TestHandler(t *testing.T) {
	answer := httptest.NewRecorder()
	openapi.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	if !slices.Equal(answer.Body.Bytes(), openapi.Document()) || answer.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d bytes of %s", answer.Body.Len(), answer.Header().Get("Content-Type"))
	}
	again := httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody)
	again.Header.Set("If-None-Match", answer.Header().Get("ETag"))
	unchanged := httptest.NewRecorder()
	openapi.Handler().ServeHTTP(unchanged, again)
	if unchanged.Code != http.StatusNotModified {
		t.Errorf("got %d", unchanged.Code)
	}
}
