package rpc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// BenchmarkRead holds 2,000 authenticated reads a second and a 99th percentile under
// 10 ms on one core (Postgres has its own): the whole handler, from the guard and the
// look-up of the token to the JSON. reads/s is as many as 8 callers get, reads/cpu_s
// what is left of a machine that does other things, too; the percentiles are of the
// typical second of those that had 2,000 reads, each counted from when it was due.
func BenchmarkRead(b *testing.B) {
	in := install(b)
	n := in.tenant("alpha")
	for i := range 100 {
		call(b, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: fmt.Sprintf("key-%d", i), ProjectId: n.project.Id})
	}
	for _, c := range []struct{ name, path, body string }{
		{"get_key", "KeyService/GetKey", `{"id":"` + n.key.Id + `"}`},
		{"list_10_keys", "KeyService/ListKeys", `{"page":{"size":10}}`},
		{"list_10_keys_filtered", "KeyService/ListKeys", `{"page":{"size":10},"filter":"key-9 AND NOT revoked_at:*","orderBy":"created_at desc"}`},
	} {
		b.Run(c.name, func(b *testing.B) { reads(b, in, n, c.path, c.body) })
	}
}

func reads(b *testing.B, in *installation, n *tenant, path, body string) {
	const callers, perSecond, slowest = 8, 2000, 10 * time.Millisecond
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	read := func() {
		request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/weir.admin.v1."+path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+n.token)
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		in.server.Config.Handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			b.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
	for range 100 { // connections and prepared statements
		read()
	}
	before := spent(b)
	b.ResetTimer()
	each(callers, b.N, func(int) { read() })
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "reads/s")
	b.ReportMetric(rate/perSecond, "of_target")
	b.ReportMetric(float64(b.N)/(spent(b)-before).Seconds(), "reads/cpu_s")

	all, began := make([]time.Duration, b.N), time.Now()
	each(4*callers, b.N, func(i int) {
		due := began.Add(time.Duration(i) * time.Second / perSecond)
		time.Sleep(time.Until(due))
		read()
		all[i] = time.Since(due)
	})
	p50, p99 := typical(all, perSecond, 50), typical(all, perSecond, 99)
	b.ReportMetric(float64(p50.Microseconds())/1000, "p50_ms")
	b.ReportMetric(float64(p99.Microseconds())/1000, "p99_ms")
	b.ReportMetric(float64(p99)/float64(slowest), "p99_of_limit")
}

// typical is the percentile of the middle one of the seconds, each of which has so many: a
// machine that stands still for a tenth of a second spoils one of them, not all.
func typical(all []time.Duration, perSecond, percentile int) time.Duration {
	var seconds []time.Duration
	for second := range slices.Chunk(all, perSecond) {
		slices.Sort(second)
		seconds = append(seconds, second[len(second)*percentile/100])
	}
	slices.Sort(seconds)
	return seconds[len(seconds)/2]
}

// each does something so many times, some at once.
func each(atOnce, times int, do func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range atOnce {
		wait.Go(func() {
			for i := next.Add(1); i <= int64(times); i = next.Add(1) {
				do(int(i - 1))
			}
		})
	}
	wait.Wait()
}

// spent is the time on processors of this process, Postgres not included.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
