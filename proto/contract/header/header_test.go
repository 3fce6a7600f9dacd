package header_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/proto/contract/header"
)

func TestRefusal(t *testing.T) {
	for name, test := range map[string]struct {
		name, value string
		allowed     bool
	}{
		"plain":                 {"X-Team", "water", true},
		"billed_to":             {"OpenAI-Organization", "org-1", true},
		"empty_value":           {"X-Team", "", true},
		"tab_inside":            {"X-Team", "a\tb", true},
		"longest":               {strings.Repeat("n", 100), strings.Repeat("v", 1000), true},
		"credential":            {"authorization", "Bearer x", false},
		"other_credential":      {"x-GOOG-api-key", "x", false},
		"transport":             {"transfer-encoding", "chunked", false},
		"host":                  {"HOST", "elsewhere.example", false},
		"no_name":               {"", "x", false},
		"space_in_name":         {"X Team", "x", false},
		"colon_in_name":         {"X-Team:", "x", false},
		"line_in_name":          {"X-Team\r\nHost", "x", false},
		"line_in_value":         {"X-Team", "a\r\nHost: b", false},
		"nul_in_value":          {"X-Team", "a\x00", false},
		"beyond_ascii":          {"X-Team", "caf\u00e9", false},
		"space_around_value":    {"X-Team", " water", false},
		"name_too_long":         {strings.Repeat("n", 101), "x", false},
		"value_too_long":        {"X-Team", strings.Repeat("v", 1001), false},
		"line_at_the_names_end": {"X-Team\n", "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			refusal := header.Refusal(test.name, test.value)
			if (refusal == "") != test.allowed {
				t.Errorf("refusal %q", refusal)
			}
			if test.value != "" && strings.Contains(refusal, test.value) && len(test.value) > 1 {
				t.Errorf("the value is quoted: %q", refusal)
			}
		})
	}
}
