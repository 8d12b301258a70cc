import sys,numpy as np
from itertools import islice
from cliqa.images.loading import load_image
from cliqa.images.patches import Tiles
from cliqa.signal.jpeg import drawn as D
for f in sys.argv[1:]:
    im=load_image(f).stored; T=Tiles(im); fo=[o for o,_ in islice(D.telling_tiles(im,T.origins,128,32),8)]
    g=np.stack([np.asarray(im.crop((x,y,x+128,y+128))).transpose(2,0,1)[1] for x,y in T.origins[:16]])
    c,s=D._exact_shares(g,4); print(f.split('/')[-1],fo==T.origins[:8],[T.origins.index(o) for o in fo],D._flat(g).astype(int),np.round(s,2))
