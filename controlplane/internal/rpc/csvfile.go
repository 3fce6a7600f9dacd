package rpc

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/weirhq/weir/controlplane/internal/report"
)

// csvFile is a download on its way. Nothing goes out before the first rows are there:
// until then an error is an answer of its own.
type csvFile struct {
	*report.CSV
	ctx   context.Context //nolint:containedctx // of the request, as long as which this lives
	w     http.ResponseWriter
	flow  *flow
	name  string
	begun bool
}

var _ report.Sink = (*csvFile)(nil)

func (f *csvFile) Rows(rows [][]any) error {
	if err := f.CSV.Rows(rows); err != nil {
		return err
	}
	return f.flush()
}

func (f *csvFile) flush() error {
	if !f.begun {
		header := f.w.Header()
		header.Set("Content-Type", "text/csv; charset=utf-8; header=present")
		header.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.csv"`, f.name, time.Now().UTC().Format("2006-01-02")))
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Trailer", rowCountTrailer)
		f.begun = true
	}
	return f.flow.send(f.ctx, func() error {
		_, err := f.w.Write(f.Take())
		return err
	})
}

// breakOff says in the file that it is not whole, for whoever does not see that the
// connection ends in an error, which is what comes next.
func (f *csvFile) breakOff(c *call, err error) {
	_ = c.boundBy(time.Second, func() error { // the caller may be gone
		_, _ = f.w.Write(report.CSVLine("weir: this file is not complete", err.Error()))
		return http.NewResponseController(f.w).Flush()
	})
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http ends the connection on this very value
}
