package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	controlplane = "../../"
	tenancyPage  = "../../../docs/tenancy.md"
)

// crossing are the methods that see every organization.
var crossing = []string{"System", "SystemSnapshot", "SystemRead"}

// Who sees every organization stands in docs/tenancy.md, and nobody else does.
func TestSystemRole_is_used_where_the_docs_say(t *testing.T) {
	page, err := os.ReadFile(tenancyPage)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9]+\\.[A-Za-z.]+[*]?)` \\| .{10,} \\|$")
	for _, found := range row.FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, found[1])
	}
	slices.Sort(listed)
	got := users(t, selects)
	for i, user := range got {
		if every := user[:strings.LastIndex(user, ".")] + ".*"; slices.Contains(listed, every) {
			got[i] = every
		}
	}
	got = slices.Compact(got)
	if diff := cmp.Diff(slices.Compact(listed), got); diff != "" {
		t.Errorf("docs/tenancy.md (-) and the source (+) differ in who uses the system role:\n%s", diff)
	}
}

// Connections that are not of package postgres have no role but the login's.
func TestConnections_are_made_here(t *testing.T) {
	want := []string{"backup.Restore", "backup.refuseForeign", "postgres.Connect", "postgres.open"}
	got := users(t, func(call *ast.SelectorExpr) bool {
		on, ok := call.X.(*ast.Ident)
		return ok && slices.Contains([]string{"pgx", "pgxpool", "pgconn", "postgres"}, on.Name) &&
			slices.Contains([]string{"Connect", "ConnectConfig", "ConnectWithOptions", "New", "NewWithConfig"}, call.Sel.Name)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who connects (-want +got):\n%s", diff)
	}
}

func selects(call *ast.SelectorExpr) bool {
	return slices.Contains(crossing, call.Sel.Name)
}

// users are the functions, package.Function or package.Type.Method, outside of
// tests that select something.
func users(t *testing.T, wanted func(*ast.SelectorExpr) bool) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(controlplane, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			ast.Inspect(declared, func(node ast.Node) bool {
				if call, ok := node.(*ast.SelectorExpr); ok && wanted(call) {
					found = append(found, file.Name.Name+"."+nameOf(declared))
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func nameOf(declared ast.Decl) string {
	function, ok := declared.(*ast.FuncDecl)
	if !ok {
		return "package"
	}
	if function.Recv == nil {
		return function.Name.Name
	}
	of := function.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	return of.(*ast.Ident).Name + "." + function.Name.Name
}
