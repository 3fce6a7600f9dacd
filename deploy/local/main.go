// Local is the launcher of the all-in-one. It compiles within seconds, because it uses little but the standard library; then it builds
// the console and ./deploy/local/weir-local, which does the work, and fetches the engines, all at the same time, and becomes weir-local.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/deploy/local/screen"
)

func main() {
	err := launch(os.Args[1:])
	if errors.Is(err, process.ErrSignal) {
		fmt.Fprintln(os.Stderr, "stopped; what is built and fetched so far is kept")
		return
	}
	fmt.Fprintf(os.Stderr, "\n%v\n", err)
	os.Exit(1)
}

// launch returns only when it could not become weir-local.
func launch(args []string) error {
	ctx, stop := process.Lifetime()
	defer stop()
	began, verb, out := time.Now(), "", io.Writer(os.Stderr) // stdout is the command's
	if len(args) > 0 {
		verb = args[0]
	}
	if verb == "run" {
		out = os.Stdout
	}
	program, err := prepare(ctx, verb, screen.New(out, began))
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	env := append(os.Environ(), "WEIR_BEGAN_MS="+strconv.FormatInt(began.UnixMilli(), 10))
	return fmt.Errorf("start %s: %w", program, syscall.Exec(program, append([]string{program}, args...), env))
}
