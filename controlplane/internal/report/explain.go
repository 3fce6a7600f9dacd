package report

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	clickhousedb "github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// limits are ClickHouse's codes for a query that wants too much. Its own messages
// count rows that the caller may not see.
func limits(code int32, b bounds) string {
	switch code {
	case 158, 307:
		return "the query would read too much: narrow the time range"
	case 159, 160:
		return fmt.Sprintf("the query takes longer than %d s: narrow the time range", b.seconds)
	case 191:
		return "a set in the query is too large"
	case 202:
		return "too many queries run at once: try again"
	case 241:
		return fmt.Sprintf("the query needs more than %d MiB of memory: group or filter more", b.memory>>20)
	case 396:
		return b.tooLarge()
	case 777, 778:
		return "the query needs too much memory: group or filter more"
	}
	return ""
}

func (b bounds) tooLarge() string {
	most := fmt.Sprintf("%d MiB", b.resultBytes>>20)
	if b.resultRows > 0 {
		most = fmt.Sprintf("%d rows or %s", b.resultRows, most)
	}
	return "the result is larger than " + most + ": select fewer or shorter columns, or use LIMIT"
}

// denied are codes of what the user report has no right to, or the server does not have
// switched on (156, 344).
var denied = map[int32]bool{156: true, 164: true, 291: true, 344: true, 446: true, 452: true, 481: true, 497: true}

// away are codes of a server that can't answer now, or does not know us.
var away = map[int32]bool{
	192: true, 193: true, 194: true, 209: true, 210: true, 236: true, 279: true, 516: true, 735: true,
}

// explain turns an error of ClickHouse into one for the caller. What is neither a
// mistake in the text nor a limit comes back as it is: an internal error, logged,
// with a reference.
func explain(ctx context.Context, err error, b bounds) error {
	if errors.Is(err, clickhousedb.ErrTooMuch) {
		return fault.Because(fault.Exhausted, "query_too_large", "%s", b.tooLarge())
	}
	if errors.Is(err, clickhousedb.ErrLargeBlock) {
		return fault.Because(fault.Exhausted, "query_too_large", "%d rows of the result are larger than %d MiB: select fewer or shorter columns", b.blockRows, streamBlockBytes>>20)
	}
	if meant := (*fault.Error)(nil); errors.As(err, &meant) {
		return meant
	}
	var said *clickhouse.Exception
	if !errors.As(err, &said) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if strings.Contains(err.Error(), "unsupported column type") {
			return unwritable(err)
		}
		return fault.Unanswered(err, "analytics_unavailable", "the analytics store does not answer; try again")
	}
	switch {
	case limits(said.Code, b) != "":
		return fault.Because(fault.Exhausted, "query_too_large", "%s", limits(said.Code, b))
	case denied[said.Code]:
		return fault.Because(fault.Invalid, "query_not_allowed", "the query uses something other than the public views and plain functions (code %d): see docs/sql.md", said.Code)
	case away[said.Code]:
		return fault.Unanswered(err, "analytics_unavailable", "the analytics store does not answer; try again")
	case mistakes[said.Code] && !damage.MatchString(said.Message):
		return fault.Because(fault.Invalid, "query_failed", "%s (code %d)%s", clean(said.Message), said.Code, hint(said))
	}
	return fmt.Errorf("query of the analytics store: %w", err)
}

// unwritable is about a value that the driver can't read.
func unwritable(cause error) *fault.Error {
	f := fault.Because(fault.Invalid, "query_failed", "a column's type can't be returned: cast it, for example with toString")
	f.Cause = cause
	return f
}

var (
	// Everything from here on tells about the server's inside.
	tail = regexp.MustCompile(`(?s)(:? ?[Ww]hile |[:.,]? ?[Ii]n scope |\. Stack trace|\(version |\. Maybe you meant|Expected one of|, expected|\. Available |: \(while |: \(in file).*`)
	// Names that a caller has no business with.
	inside = regexp.MustCompile(`usage_event|usage_range|usage_correction|agent_tail|report_definer|log_comment|__table|[0-9a-f]{8}-[0-9a-f]{4}-`)
)

// hints follow ClickHouse's words where those don't say what to do.
var hints = map[int32]string{
	41:  ": write times as '2026-11-20 10:00:00'",
	47:  ": docs/sql.md lists the columns; texts stand in single quotes",
	60:  ": docs/sql.md lists the views",
	182: ": write WHERE in place of PREWHERE",
	457: ": write times as '2026-11-20 10:00:00', in the query's time zone, without Z or an offset",
}

func hint(said *clickhouse.Exception) string {
	if said.Code == badParameter && !strings.Contains(said.Message, "DateTime") {
		return ""
	}
	return hints[said.Code]
}

const (
	maxMessage   = 500
	badParameter = 457
)

// clean keeps ClickHouse's first sentence, the position in the text included.
func clean(message string) string {
	message = strings.TrimPrefix(message, "DB::Exception: ")
	message = strings.TrimPrefix(message, "report: ")
	message = strings.TrimRight(tail.ReplaceAllString(message, ""), " :.,")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	if message == "" || inside.MatchString(message) {
		return "the query can't be run as it is"
	}
	return message
}
