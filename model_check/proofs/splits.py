def system(m="none"): raise NotImplementedError
