package rerating

import (
	"context"
	"time"
)

const (
	// Attempts of a window: what is held in memory, and inserted at once.
	fewAttempts   = 5_000
	aimedAttempts = 20_000
	mostAttempts  = 40_000

	firstWidth = time.Hour
)

// widths chooses windows that follow each other, of about as many attempts.
type widths struct{ next time.Duration }

// after returns the window that begins at from. It ends with the month of UTC at the latest:
// corrections are stored by months, and what is inserted at once is so in one of them.
func (w *widths) after(ctx context.Context, s *source, from time.Time) (window, error) {
	if w.next == 0 {
		w.next = firstWidth
	}
	end := nextMonth(from)
	if s.settings.Until.Before(end) {
		end = s.settings.Until
	}
	for {
		chosen := window{from, from.Add(w.next)}
		if end.Before(chosen.until) {
			chosen.until = end
		}
		n, err := s.count(ctx, chosen)
		if err != nil {
			return chosen, err
		}
		width := chosen.until.Sub(from)
		if n <= mostAttempts || width <= time.Microsecond {
			if n < fewAttempts {
				w.next = min(4*w.next, 31*24*time.Hour)
			}
			return chosen, nil
		}
		w.next = max((width / time.Duration(n) * aimedAttempts).Truncate(time.Microsecond), time.Microsecond)
	}
}
