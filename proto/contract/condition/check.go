package condition

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
)

// zoned are CEL's functions of a timestamp, which take a zone.
var zoned = []string{
	"getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek",
	"getHours", "getMinutes", "getSeconds", "getMilliseconds",
}

// Check tells the person who wrote a condition what is wrong with it: what Compile would, and
// names of zones that there are not, with which it would be false always. Agents, which may
// know fewer zones, only compile.
func Check(text string) error {
	_, parsed, err := compile(text)
	if err != nil {
		return err
	}
	root := ast.NavigateAST(parsed.NativeRep())
	for _, name := range zoned {
		for _, call := range ast.MatchDescendants(root, ast.FunctionMatcher(name)) {
			for _, argument := range call.AsCall().Args() {
				if err := checkZone(argument); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkZone takes offsets such as +01:00, and what is not known before there is a request.
func checkZone(argument ast.Expr) error {
	if argument.Kind() != ast.LiteralKind {
		return nil
	}
	zone, ok := argument.AsLiteral().Value().(string)
	if !ok || strings.Contains(zone, ":") {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return fmt.Errorf("there is no time zone %q: want a name such as Europe/Berlin, or an offset such as +01:00", zone)
	}
	return nil
}
