package rpc

import (
	"testing"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestEveryOperationIsServed(t *testing.T) {
	served := newBatches(nil, AdminConfig{}.services()).operations
	operations, results := (&adminv1.Operation{}).ProtoReflect().Descriptor().Fields(), (&adminv1.OperationResult{}).ProtoReflect().Descriptor().Fields()
	for i := range operations.Len() {
		f := operations.Get(i)
		if o, ok := served[f.Name()]; !ok || o.permission == "" {
			t.Errorf("%s: served %t, with the permission %q", f.Name(), ok, o.permission)
		}
		if result := results.ByNumber(f.Number()); result == nil || result.Name() != f.Name() {
			t.Errorf("%s has no result of its name and number", f.Name())
		}
	}
	if len(served) != operations.Len() || results.Len() != operations.Len() {
		t.Errorf("%d operations, %d results, %d served", operations.Len(), results.Len(), len(served))
	}
}
