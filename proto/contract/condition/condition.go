// Package condition reads the conditions of a route's targets: CEL expressions
// (https://cel.dev) over what is known of a request before it goes upstream. The control
// plane checks them to refuse what is wrong, agents compile the same text to evaluate it.
//
// Variables: metadata and headers (maps of strings; names of headers in lower case,
// credentials left out), tokens (estimate of the input tokens), stream, surface ("chat_completions"),
// user and run (as the caller names them), key and project (ids), now (a timestamp, so that
// now.getHours("Europe/Berlin") < 8 is the early morning there).
package condition

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones are known where the machine has none

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

const (
	// MaxBytes bounds the text of a condition.
	MaxBytes = 1000
	// maxCost bounds one evaluation, in CEL's units of cost: a comparison is one, and text is
	// one for ten bytes.
	maxCost = 10_000
)

// Request answers what conditions ask about. Maps are asked for when a condition names them.
type Request interface {
	Metadata() map[string]string
	Headers() map[string]string
	Tokens() int64
	Stream() bool
	Surface() string
	User() string
	Run() string
	Key() string
	Project() string
	Now() time.Time
}

// variables are the names that conditions may use.
var variables = map[string]struct {
	of    *cel.Type
	value func(Request) any
}{
	"metadata": {cel.MapType(cel.StringType, cel.StringType), func(r Request) any { return r.Metadata() }},
	"headers":  {cel.MapType(cel.StringType, cel.StringType), func(r Request) any { return r.Headers() }},
	"tokens":   {cel.IntType, func(r Request) any { return r.Tokens() }},
	"stream":   {cel.BoolType, func(r Request) any { return r.Stream() }},
	"surface":  {cel.StringType, func(r Request) any { return r.Surface() }},
	"user":     {cel.StringType, func(r Request) any { return r.User() }},
	"run":      {cel.StringType, func(r Request) any { return r.Run() }},
	"key":      {cel.StringType, func(r Request) any { return r.Key() }},
	"project":  {cel.StringType, func(r Request) any { return r.Project() }},
	"now":      {cel.TimestampType, func(r Request) any { return types.Timestamp{Time: r.Now()} }},
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	var options []cel.EnvOption
	for name, variable := range variables {
		options = append(options, cel.Variable(name, variable.of))
	}
	options = append(options, cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()))
	return cel.NewEnv(options...)
})

// Condition is compiled and may be used by many goroutines.
type Condition struct {
	program cel.Program
	text    string
}

// String is the text that it was compiled from.
func (c *Condition) String() string { return c.text }

// Compile checks a text and makes it ready. The error is for the person who wrote it.
func Compile(text string) (*Condition, error) {
	compiled, _, err := compile(text)
	return compiled, err
}

func compile(text string) (*Condition, *cel.Ast, error) {
	if len(text) > MaxBytes {
		return nil, nil, fmt.Errorf("the condition has %d bytes, at most %d are accepted", len(text), MaxBytes)
	}
	env, err := environment()
	if err != nil {
		return nil, nil, fmt.Errorf("prepare for conditions: %w", err) // of constants only: any test would show it
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, nil, errors.New(firstIssue(issues))
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, nil, fmt.Errorf("the condition is a %s; it must be true or false", ast.OutputType())
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, nil, fmt.Errorf("the condition can't be made ready: %w", err)
	}
	return &Condition{program: program, text: text}, ast, nil
}

func firstIssue(issues *cel.Issues) string {
	first := issues.Errors()[0]
	return fmt.Sprintf("the condition's character %d: %s", first.Location.Column()+1, strings.TrimSpace(first.Message))
}

// Holds tells whether the condition is true of a request. The error says what it met: a
// field of metadata that is not there, text that is no number.
func (c *Condition) Holds(r Request) (bool, error) {
	result, _, err := c.program.Eval(activation{r})
	if err != nil {
		return false, fmt.Errorf("evaluate the condition: %w", err)
	}
	return result == types.True, nil
}

// activation finds variables in a request.
type activation struct{ request Request }

var _ interpreter.Activation = activation{}

// ResolveName implements interpreter.Activation.
func (a activation) ResolveName(name string) (any, bool) {
	variable, ok := variables[name]
	if !ok {
		return nil, false
	}
	return variable.value(a.request), true
}

// Parent implements interpreter.Activation.
func (a activation) Parent() interpreter.Activation { return nil }
