package budget

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/loadtest/screen"
)

// meters add up what agents count of themselves, over all of their starts. What a start
// counted in the second before it was killed is not seen.
type meters struct {
	world *world

	mu     sync.Mutex
	last   map[string]float64 // by agent and series
	before map[string]float64 // of earlier starts, by series
}

const meterPrefix = "weir_agent_quota_"

func newMeters(w *world) *meters {
	return &meters{world: w, last: map[string]float64{}, before: map[string]float64{}}
}

func (m *meters) start(ctx context.Context) (stop func()) {
	end := screen.Repeat(time.Second, func() { m.read(ctx) })
	return sync.OnceFunc(func() { end(); m.read(ctx) })
}

func (m *meters) read(ctx context.Context) {
	var all sync.WaitGroup
	for _, a := range m.world.agents {
		all.Go(func() { m.readOne(ctx, a) })
	}
	all.Wait()
}

// readOne leaves out an agent that does not answer: it was killed.
func (m *meters) readOne(ctx context.Context, a *agent) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.private+"/metrics", http.NoBody)
	if err != nil {
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		series, text, found := strings.Cut(lines.Text(), " ")
		value, err := strconv.ParseFloat(text, 64)
		if found && err == nil && strings.HasPrefix(series, meterPrefix) {
			m.take(a.name, series, value)
		}
	}
}

// take adds what a start counted that is no more: its counters were higher.
func (m *meters) take(agent, series string, value float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := agent + " " + series
	if last := m.last[key]; value < last {
		m.before[series] += last
	}
	m.last[key] = value
}

// sum of a series over all agents and starts, its name after the prefix.
func (m *meters) sum(series string) (all float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	series = meterPrefix + series
	for _, a := range m.world.agents {
		all += m.last[a.name+" "+series]
	}
	return all + m.before[series]
}
