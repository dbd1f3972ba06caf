package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

const notBefore = "tally.example.com/not-before"

// reconcile reads the ConfigMap, counts, and writes NAME-tally if that says something else. ctx ends when a drain has no time left: a write
// that has begun goes on even then, since it could otherwise be carried out after the successor's first.
func (o *operator) reconcile(ctx context.Context, key string) outcome {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	source, err := o.client.CoreV1().ConfigMaps(namespace).Get(ctx, name, meta.GetOptions{})
	if ctx.Err() != nil {
		return outcome{interrupted: true}
	}
	if apierrors.IsNotFound(err) { // what is gone takes NAME-tally with it
		return outcome{}
	}
	if err != nil {
		return failed(err)
	}
	if text, ok := source.Annotations[notBefore]; ok {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return outcome{err: fmt.Errorf("%s: read %q; allowed is a time as 2026-01-02T15:04:05Z", notBefore, text), terminal: true}
		}
		if at.After(time.Now()) {
			return outcome{after: at}
		}
	}
	bytes := 0
	for _, v := range source.Data {
		bytes += len(v)
	}
	data := map[string]string{"keys": fmt.Sprint(len(source.Data)), "bytes": fmt.Sprint(bytes), "version": "go-" + version}
	if was, ok, _ := o.tallies.GetStore().GetByKey(key + "-tally"); ok {
		d := was.(*core.ConfigMap).Data
		if d["keys"] == data["keys"] && d["bytes"] == data["bytes"] {
			return outcome{}
		}
	}
	return failed(o.write(context.WithoutCancel(ctx), source, data))
}

func (o *operator) write(ctx context.Context, source *core.ConfigMap, data map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	m := &core.ConfigMap{Data: data, ObjectMeta: meta.ObjectMeta{
		Name: source.Name + "-tally", Namespace: source.Namespace, Labels: map[string]string{"tally.example.com/of": "count"},
		OwnerReferences: []meta.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: source.Name, UID: source.UID}}}}
	patch, err := json.Marshal(m)
	if err != nil {
		return err
	}
	maps := o.client.CoreV1().ConfigMaps(source.Namespace)
	_, err = maps.Patch(ctx, m.Name, types.MergePatchType, patch, meta.PatchOptions{FieldManager: manager})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, m, meta.CreateOptions{FieldManager: manager})
	}
	return err
}

// failed: what only a change of the object or of the rights can mend is not tried again until then.
func failed(err error) outcome {
	return outcome{err: err, terminal: apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)}
}
