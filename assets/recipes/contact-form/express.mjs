// The same router for programs with `import`.
import router from './router.cjs';

export const { contact } = router;
