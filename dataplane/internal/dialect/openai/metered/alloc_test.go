package metered_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

// bodies are of each surface, with so much text.
func bodies(size int) map[string]func() *dialect.Refusal {
	text := strings.Repeat("how much ", size/9)
	response := []byte(`{"model":"m","input":[{"role":"user","content":"` + text + `"}],"tools":[{"type":"function","name":"f"}]}`)
	inputs := []byte(`{"model":"m","input":["` + text + `","x"]}`)
	prompt := []byte(`{"model":"m","prompt":"` + text + `"}`)
	form := []byte(field("file", text) + field("model", "m") + "--B7--")
	return map[string]func() *dialect.Refusal{
		"response":   func() *dialect.Refusal { _, refusal := responses.Passed{}.Parse(response); return refusal },
		"embeddings": func() *dialect.Refusal { _, refusal := metered.Embeddings{}.Parse(inputs); return refusal },
		"completion": func() *dialect.Refusal { _, refusal := metered.Completions{}.Parse(prompt); return refusal },
		"form": func() *dialect.Refusal {
			_, refusal := metered.Transcriptions{}.ParseTyped(formType, form)
			return refusal
		},
	}
}

// bytesPerRun is how much a run allocates. Their number is not the same each time: under the
// race detector pools forget at random.
func bytesPerRun(runs uint64, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

// TestParsingCopiesNoBody: large requests allocate as little as small ones.
func TestParsingCopiesNoBody(t *testing.T) {
	large := bodies(1 << 20)
	for name, small := range bodies(1 << 10) {
		if small() != nil || large[name]() != nil {
			t.Fatalf("%s is refused", name)
		}
		few, taken := testing.AllocsPerRun(50, func() { small() }), bytesPerRun(20, func() { large[name]() })
		if few > 30 || taken > 64<<10 {
			t.Errorf("%s: %v allocations for 1 KiB, %d bytes for 1 MiB", name, few, taken)
		}
		t.Logf("%s: %v allocations, %d bytes", name, few, taken)
	}
}
