package proxy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/redact"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// sensitive is what a caller says that usage may not hold.
var sensitive = []string{"X-Weir-User", "ada@example.org", "X-Weir-Run", "who killed the king",
	"X-Weir-Metadata", `{"a":"b","secret":"hunter2","team":"my password is hunter2","prompt":"tell me"}`}

// What usage may not hold is left out, said, and counted; the request is served, and one that
// is refused says it, too.
func TestWhatUsageMayNotHold(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		status int
	}{"served": {question + `}`, 200}, "refused": {`{"model":"nothing"}`, 404}} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			response, text := h.post(goodKey, test.body, sensitive...)
			if response.StatusCode != test.status {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			for header, want := range map[string]string{
				"X-Weir-Labels-Dropped": "secret, team, prompt", "X-Weir-Run-Dropped": "run_pattern", "X-Weir-User-Dropped": "",
			} {
				if got := response.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
			<-h.done
			records := h.recorder.refused
			if test.status == 200 {
				records = []*usagev1.UsageRecord{h.recorder.started[0], h.recorder.ended[1]}
			}
			for _, r := range records {
				wantSaid(t, r, &usagev1.UsageRecord{EndUser: hasher.Of("ada@example.org"), Labels: []*usagev1.Label{{Name: "a", Value: "b"}}})
			}
			all := h.series()
			for reason, want := range map[string]float64{"label_length": 0, "label_name": 2, "label_pattern": 1, "run_pattern": 1, "user_keyless": 0} {
				if got := all["weir_agent_words_dropped_total{reason="+reason+"}"].GetCounter().GetValue(); got != want {
					t.Errorf("%v of %s were counted, want %v", got, reason, want)
				}
			}
		})
	}
}

// Without a key for hashes there is no end user, rather than a plain one.
func TestNoKeyNoUser(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Hasher = func() *redact.Hasher { return nil } })
	response, _ := h.post(goodKey, question+`}`, "X-Weir-User", "ada")
	if _, ended := h.record(); ended.EndUser != "" || response.Header.Get("X-Weir-User-Dropped") != "user_keyless" {
		t.Errorf("recorded %q, said %v", ended.EndUser, response.Header)
	}
}

// Routing goes by what is said, also where usage may not hold it.
func TestRoutingHearsWhatUsageMayNotHold(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: policyv1.Strategy_STRATEGY_PRIORITY, Targets: []*policyv1.Target{
		when(to("mock", "a", 0), `metadata["secret"] == "hunter2" && user == "ada@example.org" && run == "who killed the king"`), to("mock", "b", 0),
	}})
	if response, text := h.post(goodKey, toRoute("routed", ""), sensitive...); response.StatusCode != http.StatusOK || h.asked()[0] != "a" {
		t.Errorf("%d %s: asked %v", response.StatusCode, text, h.asked())
	}
}

// Only package redact puts callers' words into a record: nothing else in the agent assigns
// to these fields, or makes a label. Nor becomes any text an error's code.
func TestOnlyRedactWritesCallersWords(t *testing.T) {
	words := map[string]bool{"EndUser": true, "RunId": true, "Labels": true}
	seen := 0
	err := filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		own := strings.HasPrefix(path, filepath.Join("..", "..", "internal", "redact"))
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		seen++
		ast.Inspect(file, func(n ast.Node) bool {
			var assigned []ast.Expr
			switch n := n.(type) {
			case *ast.AssignStmt:
				assigned = n.Lhs
			case *ast.KeyValueExpr:
				assigned = []ast.Expr{&ast.SelectorExpr{Sel: ident(n.Key)}}
			case *ast.UnaryExpr: // its address goes somewhere
				if n.Op == token.AND {
					assigned = []ast.Expr{n.X}
				}
			case *ast.CallExpr:
				if callee(n) == "Code" {
					t.Errorf("%s makes a code of a text that is no constant", path)
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "usagev1" && n.Sel.Name == "Label" && !own {
					t.Errorf("%s makes labels", path)
				}
			}
			for _, e := range assigned {
				if field, ok := e.(*ast.SelectorExpr); ok && field.Sel != nil && words[field.Sel.Name] && !own && !ofWords(field) {
					t.Errorf("%s sets %s", path, field.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 100 {
		t.Errorf("looked at %d files: %v", seen, err)
	}
}

// callee is the last part of what is called: Code of dialect.Code(text).
func callee(call *ast.CallExpr) string {
	switch called := call.Fun.(type) {
	case *ast.Ident:
		return called.Name
	case *ast.SelectorExpr:
		if x := ident(called.X); x != nil && x.Name == "dialect" {
			return called.Sel.Name
		}
	}
	return ""
}

func ident(e ast.Expr) *ast.Ident { name, _ := e.(*ast.Ident); return name }

// ofWords tells e.words.Labels.
func ofWords(field *ast.SelectorExpr) bool {
	of, ok := field.X.(*ast.SelectorExpr)
	return ok && of.Sel.Name == "words"
}
