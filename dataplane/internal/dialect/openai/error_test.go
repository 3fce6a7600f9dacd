package openai_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// Applications that go by the type take the agent's own refusals for what a provider's would be.
func TestErrorsHaveTheTypeOfTheirStatus(t *testing.T) {
	for status, want := range map[int]string{
		400: "invalid_request_error", 401: "invalid_request_error", 403: "permission_error", 404: "invalid_request_error",
		429: "rate_limit_error", 500: "server_error", 503: "server_error",
	} {
		e := openai.Error{Status: status, Code: "budget_exceeded", Message: "no"}
		if got := string(e.Body()); !strings.Contains(got, `"type":"`+want+`"`) {
			t.Errorf("%d: %s", status, got)
		}
	}
}
