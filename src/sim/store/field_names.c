/* The members of built-in types, as k8s.io/api has them in 0.37: what a later server adds is not known, what an older
 * one lacks is. Nothing is known of a status that only the server writes, so that anything goes. */
#include "store/fields.h"
#include "store/core.h"
#include <stdlib.h>

static const struct entry {
    const char *type, *names;
} known[] = {
    /* in the order of the types */
    {"AWSElasticBlockStoreVolumeSource", "volumeID fsType partition readOnly"},
    {"Affinity", "nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity"},
    {"AggregationRule", "clusterRoleSelectors:LabelSelector"},
    {"AppArmorProfile", "type localhostProfile"},
    {"AzureDiskVolumeSource", "diskName diskURI cachingMode fsType readOnly kind"},
    {"AzureFileVolumeSource", "secretName shareName readOnly"},
    {"CSIVolumeSource", "driver readOnly fsType volumeAttributes nodePublishSecretRef:LocalObjectReference"},
    {"Capabilities", "add drop"},
    {"CephFSVolumeSource", "monitors path user secretFile secretRef:LocalObjectReference readOnly"},
    {"CinderVolumeSource", "volumeID fsType readOnly secretRef:LocalObjectReference"},
    {"ClientIPConfig", "timeoutSeconds"},
    {"ClusterRole", "kind apiVersion metadata:ObjectMeta rules:PolicyRule aggregationRule:AggregationRule"},
    {"ClusterRoleBinding", "kind apiVersion metadata:ObjectMeta subjects:Subject roleRef:RoleRef"},
    {"ClusterTrustBundleProjection", "name signerName labelSelector:LabelSelector optional path user"},
    {"ConfigMap", "kind apiVersion metadata:ObjectMeta immutable data binaryData"},
    {"ConfigMapEnvSource", "name optional"},
    {"ConfigMapKeySelector", "name key optional"},
    {"ConfigMapProjection", "name items:KeyToPath optional"},
    {"ConfigMapVolumeSource", "name items:KeyToPath defaultMode optional defaultUser"},
    {"Container",
     "name image command args workingDir ports:ContainerPort envFrom:EnvFromSource env:EnvVar "
     "resources:ResourceRequirements resizePolicy:ContainerResizePolicy restartPolicy "
     "restartPolicyRules:ContainerRestartRule volumeMounts:VolumeMount volumeDevices:VolumeDevice "
     "livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath "
     "terminationMessagePolicy imagePullPolicy securityContext:SecurityContext stdin stdinOnce tty"},
    {"ContainerPort", "name hostPort containerPort protocol hostIP"},
    {"ContainerResizePolicy", "resourceName restartPolicy"},
    {"ContainerRestartRule", "action exitCodes:ContainerRestartRuleOnExitCodes"},
    {"ContainerRestartRuleOnExitCodes", "operator values"},
    {"ControllerRevision", "kind apiVersion metadata:ObjectMeta data revision"},
    {"DaemonSet", "kind apiVersion metadata:ObjectMeta spec:DaemonSetSpec status"},
    {"DaemonSetSpec", "selector:LabelSelector template:PodTemplateSpec "
                      "updateStrategy:DaemonSetUpdateStrategy minReadySeconds revisionHistoryLimit"},
    {"DaemonSetUpdateStrategy", "type rollingUpdate:RollingUpdateDaemonSet"},
    {"Deployment", "kind apiVersion metadata:ObjectMeta spec:DeploymentSpec status:DeploymentStatus"},
    {"DeploymentCondition", "type status lastUpdateTime lastTransitionTime reason message"},
    {"DeploymentSpec", "replicas selector:LabelSelector template:PodTemplateSpec strategy:DeploymentStrategy "
                       "minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds"},
    {"DeploymentStatus",
     "observedGeneration replicas updatedReplicas readyReplicas availableReplicas unavailableReplicas "
     "terminatingReplicas conditions:DeploymentCondition collisionCount"},
    {"DeploymentStrategy", "type rollingUpdate:RollingUpdateDeployment"},
    {"DownwardAPIProjection", "items:DownwardAPIVolumeFile"},
    {"DownwardAPIVolumeFile",
     "path fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode user"},
    {"DownwardAPIVolumeSource", "items:DownwardAPIVolumeFile defaultMode defaultUser"},
    {"EmptyDirVolumeSource", "medium sizeLimit mode"},
    {"EnvFromSource", "prefix configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource"},
    {"EnvVar", "name value valueFrom:EnvVarSource"},
    {"EnvVarSource",
     "fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector "
     "configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector fileKeyRef:FileKeySelector"},
    {"EphemeralContainer",
     "name image command args workingDir ports:ContainerPort envFrom:EnvFromSource env:EnvVar "
     "resources:ResourceRequirements resizePolicy:ContainerResizePolicy restartPolicy "
     "restartPolicyRules:ContainerRestartRule volumeMounts:VolumeMount volumeDevices:VolumeDevice "
     "livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath "
     "terminationMessagePolicy imagePullPolicy securityContext:SecurityContext stdin stdinOnce tty "
     "targetContainerName"},
    {"EphemeralVolumeSource", "volumeClaimTemplate"},
    {"EvictionResponder", "name priority"},
    {"ExecAction", "command"},
    {"FCVolumeSource", "targetWWNs lun fsType readOnly wwids"},
    {"FileKeySelector", "volumeName path key optional"},
    {"FlexVolumeSource", "driver fsType secretRef:LocalObjectReference readOnly options"},
    {"FlockerVolumeSource", "datasetName datasetUUID"},
    {"GCEPersistentDiskVolumeSource", "pdName fsType partition readOnly"},
    {"GRPCAction", "port service mode"},
    {"GitRepoVolumeSource", "repository revision directory"},
    {"GlusterfsVolumeSource", "endpoints path readOnly"},
    {"HTTPGetAction", "path port host scheme httpHeaders:HTTPHeader protocol"},
    {"HTTPHeader", "name value"},
    {"HostAlias", "ip hostnames"},
    {"HostPathVolumeSource", "path type"},
    {"ISCSIVolumeSource", "targetPortal iqn lun iscsiInterface fsType readOnly portals chapAuthDiscovery "
                          "chapAuthSession secretRef:LocalObjectReference initiatorName"},
    {"ImageVolumeSource", "reference pullPolicy"},
    {"KeyToPath", "key path mode user"},
    {"LabelSelector", "matchLabels matchExpressions:LabelSelectorRequirement"},
    {"LabelSelectorRequirement", "key operator values"},
    {"Lease", "kind apiVersion metadata:ObjectMeta spec:LeaseSpec"},
    {"LeaseSpec",
     "holderIdentity leaseDurationSeconds acquireTime renewTime leaseTransitions strategy preferredHolder"},
    {"Lifecycle", "postStart:LifecycleHandler preStop:LifecycleHandler stopSignal"},
    {"LifecycleHandler", "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction"},
    {"LocalObjectReference", "name"},
    {"NFSVolumeSource", "server path readOnly"},
    {"Namespace", "kind apiVersion metadata:ObjectMeta spec:NamespaceSpec status"},
    {"NamespaceSpec", "finalizers"},
    {"NodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution:NodeSelector "
                     "preferredDuringSchedulingIgnoredDuringExecution:PreferredSchedulingTerm"},
    {"NodeSelector", "nodeSelectorTerms:NodeSelectorTerm"},
    {"NodeSelectorRequirement", "key operator values"},
    {"NodeSelectorTerm", "matchExpressions:NodeSelectorRequirement matchFields:NodeSelectorRequirement"},
    {"ObjectFieldSelector", "apiVersion fieldPath"},
    {"ObjectMeta", "name generateName namespace selfLink uid resourceVersion generation creationTimestamp "
                   "deletionTimestamp deletionGracePeriodSeconds labels annotations "
                   "ownerReferences:OwnerReference finalizers managedFields"},
    {"ObjectReference", "kind namespace name uid apiVersion resourceVersion fieldPath"},
    {"OwnerReference", "apiVersion kind name uid controller blockOwnerDeletion"},
    {"PersistentVolumeClaimVolumeSource", "claimName readOnly"},
    {"PhotonPersistentDiskVolumeSource", "pdID fsType"},
    {"Pod", "kind apiVersion metadata:ObjectMeta spec:PodSpec status"},
    {"PodAffinity", "requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm "
                    "preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm"},
    {"PodAffinityTerm", "labelSelector:LabelSelector namespaces topologyKey namespaceSelector:LabelSelector "
                        "matchLabelKeys mismatchLabelKeys"},
    {"PodAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution:PodAffinityTerm "
                        "preferredDuringSchedulingIgnoredDuringExecution:WeightedPodAffinityTerm"},
    {"PodCertificateProjection", "signerName keyType maxExpirationSeconds credentialBundlePath keyPath "
                                 "certificateChainPath userAnnotations user"},
    {"PodDNSConfig", "nameservers searches options:PodDNSConfigOption"},
    {"PodDNSConfigOption", "name value"},
    {"PodDisruptionBudget", "kind apiVersion metadata:ObjectMeta spec:PodDisruptionBudgetSpec status"},
    {"PodDisruptionBudgetSpec",
     "minAvailable selector:LabelSelector maxUnavailable unhealthyPodEvictionPolicy"},
    {"PodOS", "name"},
    {"PodReadinessGate", "conditionType"},
    {"PodResourceClaim", "name resourceClaimName resourceClaimTemplateName"},
    {"PodSchedulingGate", "name"},
    {"PodSchedulingGroup", "podGroupName"},
    {"PodSecurityContext",
     "seLinuxOptions:SELinuxOptions windowsOptions:WindowsSecurityContextOptions runAsUser runAsGroup "
     "runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup sysctls:Sysctl fsGroupChangePolicy "
     "seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile seLinuxChangePolicy"},
    {"PodSpec",
     "volumes:Volume initContainers:Container containers:Container ephemeralContainers:EphemeralContainer "
     "restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector "
     "serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC "
     "shareProcessNamespace securityContext:PodSecurityContext imagePullSecrets:LocalObjectReference "
     "hostname subdomain affinity:Affinity schedulerName tolerations:Toleration hostAliases:HostAlias "
     "priorityClassName priority dnsConfig:PodDNSConfig readinessGates:PodReadinessGate runtimeClassName "
     "enableServiceLinks preemptionPolicy overhead topologySpreadConstraints:TopologySpreadConstraint "
     "setHostnameAsFQDN os:PodOS hostUsers schedulingGates:PodSchedulingGate resourceClaims:PodResourceClaim "
     "resources:ResourceRequirements hostnameOverride schedulingGroup:PodSchedulingGroup "
     "evictionResponders:EvictionResponder"},
    {"PodTemplateSpec", "metadata:ObjectMeta spec:PodSpec"},
    {"PolicyRule", "verbs apiGroups resources resourceNames nonResourceURLs"},
    {"PortworxVolumeSource", "volumeID fsType readOnly"},
    {"PreferredSchedulingTerm", "weight preference:NodeSelectorTerm"},
    {"Probe",
     "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction initialDelaySeconds "
     "timeoutSeconds periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds"},
    {"ProjectedVolumeSource", "sources:VolumeProjection defaultMode defaultUser"},
    {"QuobyteVolumeSource", "registry volume readOnly user group tenant"},
    {"RBDVolumeSource", "monitors image fsType pool user keyring secretRef:LocalObjectReference readOnly"},
    {"ReplicaSet", "kind apiVersion metadata:ObjectMeta spec:ReplicaSetSpec status:ReplicaSetStatus"},
    {"ReplicaSetCondition", "type status lastTransitionTime reason message"},
    {"ReplicaSetSpec", "replicas minReadySeconds selector:LabelSelector template:PodTemplateSpec"},
    {"ReplicaSetStatus", "replicas fullyLabeledReplicas readyReplicas availableReplicas terminatingReplicas "
                         "observedGeneration conditions:ReplicaSetCondition"},
    {"ResourceClaim", "name request"},
    {"ResourceFieldSelector", "containerName resource divisor"},
    {"ResourceRequirements", "limits requests claims:ResourceClaim"},
    {"Role", "kind apiVersion metadata:ObjectMeta rules:PolicyRule"},
    {"RoleBinding", "kind apiVersion metadata:ObjectMeta subjects:Subject roleRef:RoleRef"},
    {"RoleRef", "apiGroup kind name"},
    {"RollingUpdateDaemonSet", "maxUnavailable maxSurge"},
    {"RollingUpdateDeployment", "maxUnavailable maxSurge"},
    {"RollingUpdateStatefulSetStrategy", "partition maxUnavailable"},
    {"SELinuxOptions", "user role type level"},
    {"ScaleIOVolumeSource", "gateway system secretRef:LocalObjectReference sslEnabled protectionDomain "
                            "storagePool storageMode volumeName fsType readOnly"},
    {"SeccompProfile", "type localhostProfile"},
    {"Secret", "kind apiVersion metadata:ObjectMeta immutable data stringData type"},
    {"SecretEnvSource", "name optional"},
    {"SecretKeySelector", "name key optional"},
    {"SecretProjection", "name items:KeyToPath optional"},
    {"SecretVolumeSource", "secretName items:KeyToPath defaultMode optional defaultUser"},
    {"SecurityContext",
     "capabilities:Capabilities privileged seLinuxOptions:SELinuxOptions "
     "windowsOptions:WindowsSecurityContextOptions runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem "
     "allowPrivilegeEscalation procMount seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile"},
    {"Service", "kind apiVersion metadata:ObjectMeta spec:ServiceSpec status"},
    {"ServiceAccount", "kind apiVersion metadata:ObjectMeta secrets:ObjectReference "
                       "imagePullSecrets:LocalObjectReference automountServiceAccountToken"},
    {"ServiceAccountTokenProjection", "audience expirationSeconds path user"},
    {"ServicePort", "name protocol appProtocol port targetPort nodePort"},
    {"ServiceSpec",
     "ports:ServicePort selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP "
     "loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort "
     "publishNotReadyAddresses sessionAffinityConfig:SessionAffinityConfig ipFamilies ipFamilyPolicy "
     "allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution"},
    {"SessionAffinityConfig", "clientIP:ClientIPConfig"},
    {"SleepAction", "seconds"},
    {"StatefulSet", "kind apiVersion metadata:ObjectMeta spec:StatefulSetSpec status"},
    {"StatefulSetOrdinals", "start"},
    {"StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted whenScaled"},
    {"StatefulSetSpec",
     "replicas selector:LabelSelector template:PodTemplateSpec volumeClaimTemplates serviceName "
     "podManagementPolicy updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit minReadySeconds "
     "persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy "
     "ordinals:StatefulSetOrdinals"},
    {"StatefulSetUpdateStrategy", "type rollingUpdate:RollingUpdateStatefulSetStrategy"},
    {"StorageOSVolumeSource", "volumeName volumeNamespace fsType readOnly secretRef:LocalObjectReference"},
    {"Subject", "kind apiGroup name namespace"},
    {"Sysctl", "name value"},
    {"TCPSocketAction", "port host"},
    {"Toleration", "key operator value effect tolerationSeconds"},
    {"TopologySpreadConstraint", "maxSkew topologyKey whenUnsatisfiable labelSelector:LabelSelector "
                                 "minDomains nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys"},
    {"Volume",
     "name hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource "
     "gcePersistentDisk:GCEPersistentDiskVolumeSource awsElasticBlockStore:AWSElasticBlockStoreVolumeSource "
     "gitRepo:GitRepoVolumeSource secret:SecretVolumeSource nfs:NFSVolumeSource iscsi:ISCSIVolumeSource "
     "glusterfs:GlusterfsVolumeSource persistentVolumeClaim:PersistentVolumeClaimVolumeSource "
     "rbd:RBDVolumeSource flexVolume:FlexVolumeSource cinder:CinderVolumeSource cephfs:CephFSVolumeSource "
     "flocker:FlockerVolumeSource downwardAPI:DownwardAPIVolumeSource fc:FCVolumeSource "
     "azureFile:AzureFileVolumeSource configMap:ConfigMapVolumeSource "
     "vsphereVolume:VsphereVirtualDiskVolumeSource quobyte:QuobyteVolumeSource "
     "azureDisk:AzureDiskVolumeSource photonPersistentDisk:PhotonPersistentDiskVolumeSource "
     "projected:ProjectedVolumeSource portworxVolume:PortworxVolumeSource scaleIO:ScaleIOVolumeSource "
     "storageos:StorageOSVolumeSource csi:CSIVolumeSource ephemeral:EphemeralVolumeSource "
     "image:ImageVolumeSource"},
    {"VolumeDevice", "name devicePath"},
    {"VolumeMount",
     "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr bindMountOptions"},
    {"VolumeProjection",
     "secret:SecretProjection downwardAPI:DownwardAPIProjection configMap:ConfigMapProjection "
     "serviceAccountToken:ServiceAccountTokenProjection clusterTrustBundle:ClusterTrustBundleProjection "
     "podCertificate:PodCertificateProjection"},
    {"VsphereVirtualDiskVolumeSource", "volumePath fsType storagePolicyName storagePolicyID"},
    {"WeightedPodAffinityTerm", "weight podAffinityTerm:PodAffinityTerm"},
    {"WindowsSecurityContextOptions", "gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess"},
};

static int by_type(const void *key, const void *entry) {
    const struct slice *want = key;
    struct slice have = slice_of(((const struct entry *)entry)->type);
    int c = memcmp(want->p, have.p, want->n < have.n ? want->n : have.n);
    return c ? c : want->n < have.n ? -1 : want->n > have.n;
}

const char *field_names_of(struct slice type) {
    const struct entry *e = type.n ? bsearch(&type, known, ARRAY_LEN(known), sizeof known[0], by_type) : NULL;
    return e ? e->names : NULL;
}
