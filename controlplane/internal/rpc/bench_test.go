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
// look-up of the token to the JSON. reads/cpu_s is what is left of a machine that does
// other things, too.
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
	read := func() time.Duration {
		request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/weir.admin.v1."+path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+n.token)
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		began := time.Now()
		in.server.Config.Handler.ServeHTTP(answer, request)
		took := time.Since(began)
		if answer.Code != http.StatusOK {
			b.Errorf("%d %s", answer.Code, answer.Body)
		}
		return took
	}
	for range 100 { // connections and prepared statements
		read()
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, callers)
	before := spent(b)
	b.ResetTimer()
	var wait sync.WaitGroup
	for w := range callers {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				took[w] = append(took[w], read())
			}
		})
	}
	wait.Wait()
	cpu := spent(b) - before
	all := slices.Concat(took...)
	slices.Sort(all)
	rate, p99 := float64(len(all))/b.Elapsed().Seconds(), all[len(all)*99/100]
	b.ReportMetric(rate, "reads/s")
	b.ReportMetric(rate/perSecond, "of_target")
	b.ReportMetric(float64(len(all))/cpu.Seconds(), "reads/cpu_s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50_ms")
	b.ReportMetric(float64(p99.Microseconds())/1000, "p99_ms")
	b.ReportMetric(float64(p99)/float64(slowest), "p99_of_limit")
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
