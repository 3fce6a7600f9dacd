package budget

import (
	"fmt"
	"sync"
)

// findings are what is not as it must be, by check.
type findings struct {
	mu     sync.Mutex
	checks []string
	by     map[string][]string
}

// shown are findings of one check that are told; the others are counted.
const shown = 10

func newFindings() *findings { return &findings{by: map[string][]string{}} }

func (f *findings) add(check, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[check] == nil {
		f.checks = append(f.checks, check)
	}
	f.by[check] = append(f.by[check], fmt.Sprintf(format, args...))
}

func (f *findings) lines() (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, check := range f.checks {
		all := f.by[check]
		lines = append(lines, fmt.Sprintf("%s: %d times", check, len(all)))
		for _, text := range all[:min(shown, len(all))] {
			lines = append(lines, "    "+text)
		}
	}
	return lines
}
